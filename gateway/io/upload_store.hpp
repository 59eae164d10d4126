#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/within.hpp"
#include "gateway/core/tus.hpp"
#include "gateway/io/upload_file.hpp"

namespace eole::gateway {

constexpr std::size_t kResumableMax =
    1024;  // Uploads that are kept, whole or not; half of a prefix.

/// An upload that goes on where it broke off, in a directory: its bytes under its id, and beside
/// them what is known of it. So a gateway that was killed has it again.
struct StoredUpload {
  tus::Upload upload;
  Within within;                        // Of who began it: outside of these projects there is none.
  protocol::Value told;                 // Of one that was taken in: what it came to. Else null.
  std::optional<std::uint64_t> proven;  // Bytes behind it have no proven checksum yet.
  bool is_busy = false;                 // A request writes it.
};

class UploadStore {
 public:
  /// Reads the directory. What of it is another start of the machine's goes: its bytes may not all
  /// have reached the disk.
  explicit UploadStore(std::string directory);

  // Shared with the requests that use it: it may be removed meanwhile.
  using Entry = std::shared_ptr<StoredUpload>;
  const std::string& directory() const { return directory_; }
  const std::map<std::string, Entry>& all() const { return all_; }
  /// Null: there is none within.
  Entry find(const std::string& id, const Within& within) const;
  /// With an id of its own. Throws http::Problem 503 if there are too many.
  Entry add(tus::Upload upload, const Within& within);
  /// Its bytes, to add to.
  UploadFile open(const StoredUpload& stored) const;
  /// Writes down what is known of it.
  void save(const StoredUpload& stored) const;
  /// Its bytes are not needed any more.
  void drop_bytes(const StoredUpload& stored) const;
  void remove(const std::string& id);
  /// Removes what nobody went on with.
  void expire(std::int64_t now_unix_ms);

 private:
  void load(const std::string& id);
  std::string path(const std::string& id) const { return directory_ + "/" + id; }
  std::string directory_;
  std::string boot_;
  std::map<std::string, Entry> all_;
};

}  // namespace eole::gateway
