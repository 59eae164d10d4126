#include "common/net/private_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "common/base/text.hpp"

namespace eole::net {

void write_private_file(const std::string& path, const std::string& content) {
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  const auto temporary = text(path, ".", ::getpid(), ".tmp");
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error(text("cannot write ", path, ": ", std::strerror(errno)));
  const bool is_written =
      ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!is_written || std::rename(temporary.c_str(), path.c_str()) != 0)
    throw std::runtime_error(text("cannot write ", path, ": ", std::strerror(error)));
}

}  // namespace eole::net
