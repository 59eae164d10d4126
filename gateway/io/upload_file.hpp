#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"

namespace eole::gateway {

constexpr std::uint64_t kUploadFloorBytes = 512ULL << 20;  // Of the disk, left free by uploads.

/// What was uploaded so far, in a file of the gateway's own. Whatever cannot be written is an
/// http::Problem 507.
class UploadFile {
 public:
  /// Without a name: it is gone with the process, however that ends.
  static UploadFile unnamed(const std::string& directory);
  /// Made if it is not there, and kept.
  static UploadFile named(const std::string& path);
  ~UploadFile();
  UploadFile(UploadFile&& other) noexcept;
  UploadFile& operator=(UploadFile&&) = delete;

  std::uint64_t size() const { return size_; }
  void append(std::string_view bytes);
  /// Exactly so many bytes, or why not.
  Expected<Bytes> read(std::uint64_t offset, std::size_t size) const;
  /// Forgets what lies behind.
  void cut(std::uint64_t size);

 private:
  UploadFile(int fd, std::string directory, std::uint64_t size);
  int fd_;
  std::string directory_;
  std::uint64_t size_;
};

/// Removes the file, if it is there.
void remove_upload_file(const std::string& path);

/// 507 unless so many bytes have room.
void need_room(const std::string& directory, std::uint64_t bytes);

}  // namespace eole::gateway
