#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "common/protocol/value.hpp"
#include "common/storage/disk.hpp"
#include "sink/core/events.hpp"

namespace eole::sink {

/// The artifacts as both threads of a sink see them: one takes results that name them, the other
/// takes, gives and collects them. When each was last put or named is the time of its file.
/// Throws StorageFailure when the disk fails.
class ArtifactShelf {
 public:
  /// `directory`: theirs alone, or with files that are called neither like a digest nor .part; must
  /// outlive it. `unix_ms`: now.
  ArtifactShelf(storage::Directory& directory, std::int64_t unix_ms);
  ArtifactShelf(const ArtifactShelf&) = delete;
  ArtifactShelf& operator=(const ArtifactShelf&) = delete;

  // The thread of results.

  /// What Keep says: the time that counts, and before which an artifact must have been put and
  /// named last to be superfluous.
  void set_times(std::int64_t unix_ms, std::int64_t superfluous_before);
  /// Which of these are not there. The others are named now, at `unix_ms`.
  MissingArtifacts missing(const NamedArtifacts& artifacts, std::int64_t unix_ms);
  /// For the sink's status.
  void tell(protocol::Value& status) const;

  // The thread of artifacts.

  storage::Directory& directory() { return directory_; }
  std::int64_t unix_ms() const { return unix_ms_; }
  /// False if it is not there; else it is put or named now, durably.
  bool touch(const std::string& sha256) { return touch(sha256, unix_ms_); }
  /// A new one of so many bytes has its name.
  void add(std::uint64_t bytes);
  /// Removes it if it is superfluous.
  void collect(const std::string& sha256);
  /// Removes what an upload left that nobody went on with for a day; true if it did.
  bool collect_part(const std::string& part);

 private:
  bool touch(const std::string& sha256, std::int64_t unix_ms);
  storage::Directory& directory_;
  std::atomic<std::int64_t> unix_ms_;
  std::atomic<std::int64_t> superfluous_before_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> collected_{0};
  std::atomic<std::uint64_t> collected_bytes_{0};
  std::mutex naming_;  // What is named must not be collected in the same moment.
};

}  // namespace eole::sink
