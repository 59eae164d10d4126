#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "clients/cpp/blocking/artifact_client.hpp"

namespace eole::client {

/// A file that its writer gives away, on its way to the sink while it is still being written. Where
/// both share a machine it is linked or copied there, and the sink alone reads it; else it is sent
/// once it is whole. One thread.
class Handover {
 public:
  /// `path`: a file of ours alone, which nobody changes afterwards.
  Handover(ArtifactClient& client, std::string path);
  /// The same of a file that others might change afterwards: what the sink looks at is a copy. Returns
  /// once the sink has it durably.
  static Expected<ArtifactClient::Stored> copy(ArtifactClient& client, const std::string& path,
                                               const ArtifactClient::OnProgress& on_progress);
  /// If it did not end, the sink forgets it.
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// So many bytes of it are there, and will not change. Never waits.
  void reach(std::uint64_t bytes);
  /// So many are in all, some perhaps behind a gap: the disk begins with them. Never waits.
  void write_behind(std::uint64_t bytes);
  /// All `bytes` of it are: returns once the sink has it durably.
  Expected<ArtifactClient::Stored> finish(std::uint64_t bytes,
                                          const ArtifactClient::OnProgress& on_progress);

 private:
  enum class By : std::uint8_t { kLink, kCopy };
  Handover(ArtifactClient& client, std::string path, By by);
  /// False: it cannot be copied there. An error: stopped.
  Expected<bool> copy_all(std::uint64_t bytes, const ArtifactClient::OnProgress& on_progress);
  /// What the sink did not take is no more in its directory.
  void take_back();
  Expected<void> wait_for_disk(std::uint64_t bytes, const ArtifactClient::OnProgress& on_progress);
  ArtifactClient& client_;
  std::string path_;
  int fd_ = -1;
  std::uint64_t behind_ = 0;  // The disk was told to begin when so much was written.
  std::string link_;  // Its name among the sink's; empty: none.
  std::optional<Expected<protocol::Handed>> outcome_;
  Transfers::Id id_ = 0;
};

}  // namespace eole::client
