#include "cli/run/lines.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {
constexpr std::size_t kPieceBytes = 64 << 10;
}

LineReader::LineReader(std::string path)
    : path_(std::move(path)), fd_(path_ == "-" ? 0 : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0)
    throw Failure{kBadUse, text(shown(path_), ": cannot be read: ", std::strerror(errno))};
}

LineReader::~LineReader() {
  if (fd_ > 0) ::close(fd_);
}

std::optional<std::string> LineReader::next() {
  while (!is_over_) {
    const auto end = held_.find('\n', looked_);
    if (end != std::string::npos) {
      auto line = held_.substr(taken_, end - taken_);
      taken_ = looked_ = end + 1;
      return line;
    }
    looked_ = held_.size();
    if (is_at_end_) {
      is_over_ = true;
      if (taken_ < held_.size()) return held_.substr(taken_);
    } else if (!fill()) {
      break;
    }
  }
  return std::nullopt;
}

// False if nothing is there now.
bool LineReader::fill() {
  held_.erase(0, taken_);
  looked_ -= taken_;
  taken_ = 0;
  if (held_.size() > kLineBytesMax)
    throw Failure{kBadUse, text(shown(path_), ": a line over ", kLineBytesMax, " bytes")};
  pollfd watch{fd_, POLLIN, 0};
  if (::poll(&watch, 1, 0) <= 0) return false;
  const auto before = held_.size();
  held_.resize(before + kPieceBytes);
  const auto got = ::read(fd_, held_.data() + before, kPieceBytes);
  held_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0 && errno != EINTR && errno != EAGAIN)
    throw Failure{kBadUse, text(shown(path_), ": cannot be read: ", std::strerror(errno))};
  is_at_end_ = got == 0;
  return got >= 0;
}

void wait_for_input(int fd) {
  pollfd watch{fd, POLLIN, 0};
  ::poll(&watch, 1, -1);
}

}  // namespace eole::cli
