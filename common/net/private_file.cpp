#include "common/net/private_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "common/base/text.hpp"

namespace eole::net {

namespace {

void sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // It may be passed through but not read: then the name is as safe as it gets.
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void write_private_file(const std::string& path, const std::string& content) {
  const auto fail = [&] {
    throw std::runtime_error(text("cannot write ", path, ": ", std::strerror(errno)));
  };
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  // A name nobody can guess, never one that is there: others may write to the directory.
  auto temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);  // Mode 0600.
  if (fd < 0) fail();
  std::string_view left = content;
  while (!left.empty()) {
    const auto written = ::write(fd, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool is_synced = left.empty() && ::fsync(fd) == 0;
  int error = errno;
  ::close(fd);
  errno = error;
  if (!is_synced || std::rename(temporary.c_str(), path.c_str()) != 0) {
    error = errno;
    ::unlink(temporary.c_str());
    errno = error;
    fail();
  }
  sync_directory(parent.empty() ? "." : parent.string());
}

}  // namespace eole::net
