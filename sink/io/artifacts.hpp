#pragma once
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/process/hash.hpp"
#include "common/storage/disk.hpp"
#include "sink/io/artifact_shelf.hpp"

namespace eole::sink {

/// Files named by their SHA-256. A name exists only once its bytes are whole, proven and durable.
/// Throws StorageFailure when the disk fails.
class ArtifactStore {
 public:
  /// `shelf`: must outlive it. `syncs_at_once`: of its disk's files, each in a thread.
  explicit ArtifactStore(ArtifactShelf& shelf, std::size_t syncs_at_once = 1);
  ~ArtifactStore();
  ArtifactStore(const ArtifactStore&) = delete;
  ArtifactStore& operator=(const ArtifactStore&) = delete;

  struct Progress {
    std::uint64_t have = 0;
    bool is_whole = false;
  };
  /// Takes the bytes at `offset` if they come next; says how far the file is either way, so that
  /// an upload that broke off goes on from there. What is whole becomes an artifact by commit().
  /// It is its uploader's alone (`user`: a public key; empty over ipc) and of one size: what
  /// another sends under the same name does not touch it.
  /// Errors: bad name, wrong digest (the upload starts anew), no room.
  Expected<Progress> put(std::string_view user, const std::string& sha256, std::uint64_t size,
                         std::uint64_t offset, std::string_view bytes);
  /// What is known of a file that was handed over.
  struct Hand {
    std::uint64_t have = 0;  // Looked at so far.
    std::string sha256;      // Of all of it: commit() makes it an artifact.
  };
  /// Looks at a file that its writer linked among ours as FILE.handed, so far as it is said to be
  /// there, but only at a little of it at a time. It is whole with `is_last`; until then its writer
  /// may take it back at any moment.
  /// Errors: bad name, not there, shorter than was said, no room.
  Expected<Hand> hand(const std::string& file, std::uint64_t size, bool is_last);
  /// Looks on at a file that was handed over, as far as its writer said, before it asks again;
  /// false if there is none to look at.
  bool look_ahead();
  /// How many are whole and are no artifacts yet.
  std::size_t uncommitted() const { return ready_.size(); }
  /// Makes them artifacts, durably.
  void commit();
  struct Piece {
    std::uint64_t size = 0;  // Of the whole artifact.
    std::string bytes;
  };
  Expected<Piece> get(const std::string& sha256, std::uint64_t offset, std::size_t size) const;
  /// Goes on through its files, a few at a time, and removes what is superfluous; false once it has
  /// seen all of them.
  bool collect_some();

 private:
  struct Upload;
  struct Handing;
  struct Ready {
    std::unique_ptr<storage::File> file;
    std::string name;
    std::string sha256;
    std::uint64_t size = 0;
  };
  Expected<Hand> look_at(const std::string& name, const std::string& taken, std::uint64_t size,
                         bool is_last);
  Expected<Handing*> handing_of(const std::string& name, std::uint64_t size);
  bool look_on(Handing& handing);
  void drop_handing(const std::string& name);
  void sync_ready();
  bool has_room(std::uint64_t bytes) const;
  /// It is one at the next commit.
  bool is_ready(const std::string& sha256) const;
  /// `part`: the name of its file.
  Expected<Upload*> upload_of(const std::string& part, const std::string& sha256,
                              std::uint64_t size);
  Expected<Progress> finish(const std::string& part, const std::string& sha256, Upload& upload);
  void use(const std::string& part);
  void forget(const std::string& part);
  ArtifactShelf& shelf_;
  std::size_t syncs_at_once_;
  storage::Directory& directory_;
  std::unique_ptr<storage::Walk> walk_;
  std::map<std::string, std::unique_ptr<Upload>> uploads_;    // Open, by the names of their files.
  std::map<std::string, std::unique_ptr<Handing>> handings_;  // By the names of their files.
  std::uint64_t last_use_ = 0;
  std::vector<Ready> ready_;
  std::map<std::string, std::list<std::string>> parts_;  // Of each user, the last used at the end.
};

}  // namespace eole::sink
