#include "cli/run/append_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

AppendFile::AppendFile(std::string path)
    : path_(std::move(path)),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  struct stat found {};
  if (fd_ < 0 || ::fstat(fd_, &found) != 0) fail();
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0)
    throw Failure{kBadUse, text(shown(path_), ": another eole run has it")};
  size_ = static_cast<std::uint64_t>(found.st_size);
}

AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}

void AppendFile::fail() const {
  throw Failure{kBadUse, text(shown(path_), ": cannot be written: ", std::strerror(errno))};
}

void AppendFile::cut(std::uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) fail();
  size_ = bytes;
}

void AppendFile::append(std::string_view lines) {
  while (!lines.empty()) {
    const auto written = ::write(fd_, lines.data(), lines.size());
    if (written < 0 && errno != EINTR) fail();
    if (written <= 0) continue;
    size_ += static_cast<std::uint64_t>(written);
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace eole::cli
