#include "gateway/io/upload_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "common/base/text.hpp"
#include "gateway/core/http/problem.hpp"

namespace eole::gateway {

namespace {

http::Problem cannot(const char* what) {
  return {507, text("the upload cannot be ", what, ": ", std::strerror(errno))};
}

// The last one to close a file without a name frees what it held, which takes the kernel a second
// for gigabytes: not the loop's.
void close_aside(int fd) {
  try {
    std::thread([fd] { ::close(fd); }).detach();
  } catch (const std::system_error&) {
    ::close(fd);
  }
}

constexpr std::uint64_t kSmallBytes = 8 << 20;

}  // namespace

void remove_upload_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ::unlink(path.c_str());
  if (fd >= 0) close_aside(fd);
}

void need_room(const std::string& directory, std::uint64_t bytes) {
  struct statvfs disk {};
  if (::statvfs(directory.c_str(), &disk) != 0) throw cannot("kept");
  const auto free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free >= kUploadFloorBytes && free - kUploadFloorBytes >= bytes) return;
  throw http::Problem(507, text(bytes, " bytes more: the disk has ", free, " free, of which ",
                                kUploadFloorBytes, " stay free"));
}

UploadFile::UploadFile(int fd, std::string directory, std::uint64_t size)
    : fd_(fd), directory_(std::move(directory)), size_(size) {}

UploadFile UploadFile::unnamed(const std::string& directory) {
  auto path = directory + "/new-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) throw cannot("kept");
  ::unlink(path.c_str());
  return {fd, directory, 0};
}

UploadFile UploadFile::named(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) throw cannot("kept");
  return {fd, path.substr(0, path.rfind('/')), static_cast<std::uint64_t>(status.st_size)};
}

UploadFile::UploadFile(UploadFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      directory_(std::move(other.directory_)),
      size_(other.size_) {}

UploadFile::~UploadFile() {
  if (fd_ < 0) return;
  if (size_ > kSmallBytes)
    close_aside(fd_);
  else
    ::close(fd_);
}

void UploadFile::append(std::string_view bytes) {
  need_room(directory_, bytes.size());
  while (!bytes.empty()) {
    const auto count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw cannot("written");
    size_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

Expected<Bytes> UploadFile::read(std::uint64_t offset, std::size_t size) const {
  Bytes out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto count =
        ::pread(fd_, out.data() + have, size - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return Error{text("the upload cannot be read at ", offset + have, ": ",
                        count == 0 ? "it ends there" : std::strerror(errno)),
                   ErrorCode::kDamaged};
    have += static_cast<std::size_t>(count);
  }
  return out;
}

void UploadFile::cut(std::uint64_t size) {
  if (size >= size_) return;
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) throw cannot("cut");
  size_ = size;
}

}  // namespace eole::gateway
