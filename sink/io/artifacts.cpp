#include "sink/io/artifacts.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/storage/disk.hpp"

namespace eole::sink {

namespace {

constexpr std::uint64_t kFloorBytes = 256ULL << 20;  // Left free for the log.
constexpr std::size_t kUploadsMax = 256;             // Open at the same time.

std::string file_of(const std::string& path, const std::string& sha256) {
  return text(path, "/", sha256.substr(0, 2), "/", sha256);
}

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  throw storage::StorageFailure(text("cannot ", what, " ", path, ": ", std::strerror(errno)));
}

void sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || ::fsync(fd) != 0) fail("sync directory", path);
  ::close(fd);
}

}  // namespace

struct ArtifactStore::Upload {
  int fd = -1;
  std::string path;
  std::uint64_t size = 0;
  std::uint64_t have = 0;
  process::Sha256 hash;
  ~Upload() {
    if (fd >= 0) ::close(fd);
  }
};

ArtifactStore::ArtifactStore(std::string path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(path_ + "/incoming", error);
  if (error) throw storage::StorageFailure(text("cannot make ", path_, ": ", error.message()));
  ::chmod(path_.c_str(), 0700);
}
ArtifactStore::~ArtifactStore() = default;

bool ArtifactStore::exists(const std::string& path, const std::string& sha256) {
  return ::access(file_of(path, sha256).c_str(), F_OK) == 0;
}

Expected<ArtifactStore::Upload*> ArtifactStore::upload_of(const std::string& sha256,
                                                          std::uint64_t size) {
  auto& slot = uploads_[sha256];
  if (slot) {
    if (slot->size == size) return slot.get();
    return Error{text("artifact ", sha256, ": ", size, " bytes, another upload says ", slot->size)};
  }
  if (uploads_.size() > kUploadsMax) uploads_.erase(uploads_.begin());  // Resumes from its file.
  struct statvfs disk {};
  if (::statvfs(path_.c_str(), &disk) == 0 &&
      static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize < size + kFloorBytes) {
    uploads_.erase(sha256);
    return Error{text("artifact ", sha256, ": ", size, " bytes, the sink's disk has no room")};
  }
  auto upload = std::make_unique<Upload>();
  upload->path = text(path_, "/incoming/", sha256);
  upload->size = size;
  upload->fd = ::open(upload->path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (upload->fd < 0) fail("open", upload->path);
  std::string chunk(protocol::kChunkBytes, '\0');
  while (upload->have < size) {  // What an upload that broke off left behind counts.
    const auto got =
        ::pread(upload->fd, chunk.data(), chunk.size(), static_cast<off_t>(upload->have));
    if (got <= 0) break;
    upload->hash.add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
    upload->have += static_cast<std::uint64_t>(got);
  }
  uploads_[sha256] = std::move(upload);
  return uploads_[sha256].get();
}

Expected<ArtifactStore::Progress> ArtifactStore::put(const std::string& sha256, std::uint64_t size,
                                                     std::uint64_t offset, std::string_view bytes) {
  if (!is_sha256(sha256)) return Error{"artifact: its name is not a SHA-256 in hexadecimal"};
  if (exists(path_, sha256)) return Progress{size, true};
  if (offset + bytes.size() > size)
    return Error{
        text("artifact ", sha256, ": bytes up to ", offset + bytes.size(), ", size ", size)};
  auto found = upload_of(sha256, size);
  if (!found) return found.error();
  auto& upload = **found;
  if (offset == upload.have) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto written = ::pwrite(upload.fd, bytes.data() + done, bytes.size() - done,
                                    static_cast<off_t>(offset + done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && errno == ENOSPC) {
        uploads_.erase(sha256);
        return Error{text("artifact ", sha256, ": the sink's disk is full")};
      }
      if (written <= 0) fail("write", upload.path);
      done += static_cast<std::size_t>(written);
    }
    upload.hash.add(bytes);
    upload.have += bytes.size();
  }
  if (upload.have == size) return finish(sha256, upload);
  return Progress{upload.have, false};
}

Expected<ArtifactStore::Progress> ArtifactStore::finish(const std::string& sha256, Upload& upload) {
  const auto size = upload.size;
  const auto temporary = upload.path;
  if (hex(upload.hash.digest()) != sha256) {
    uploads_.erase(sha256);
    ::unlink(temporary.c_str());
    return Error{text("artifact ", sha256, ": the bytes sent have another digest")};
  }
  if (::ftruncate(upload.fd, static_cast<off_t>(size)) != 0 || ::fdatasync(upload.fd) != 0)
    fail("sync", temporary);
  const auto directory = text(path_, "/", sha256.substr(0, 2));
  if (::mkdir(directory.c_str(), 0700) == 0) sync_directory(path_);
  if (std::rename(temporary.c_str(), file_of(path_, sha256).c_str()) != 0)
    fail("rename", temporary);
  sync_directory(directory);
  uploads_.erase(sha256);
  return Progress{size, true};
}

Expected<ArtifactStore::Piece> ArtifactStore::get(const std::string& sha256, std::uint64_t offset,
                                                  std::size_t size) const {
  if (!is_sha256(sha256)) return Error{"artifact: its name is not a SHA-256 in hexadecimal"};
  const int fd = ::open(file_of(path_, sha256).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return Error{text("artifact ", sha256, " is not in the sink")};
  struct stat status {};
  ::fstat(fd, &status);
  Piece piece{static_cast<std::uint64_t>(status.st_size), {}};
  piece.bytes.resize(std::min<std::size_t>(size, protocol::kChunkBytes * 4));
  const auto got = ::pread(fd, piece.bytes.data(), piece.bytes.size(), static_cast<off_t>(offset));
  ::close(fd);
  if (got < 0) return Error{text("artifact ", sha256, ": ", std::strerror(errno))};
  piece.bytes.resize(static_cast<std::size_t>(got));
  return piece;
}

}  // namespace eole::sink
