#include "worker/picture/input.hpp"

#include <unistd.h>

#include <cerrno>

#include "worker/picture/report.hpp"

namespace eole::picture {

Input::Input(int fd) : fd_(fd), buffer_(1 << 16) { fill(); }

void Input::fill() {
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_.data(), buffer_.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) fail("its file cannot be read");
  rest_ = {buffer_.data(), static_cast<std::size_t>(got)};
}

std::uint64_t Input::size() const {
  const auto at = ::lseek(fd_, 0, SEEK_CUR);
  const auto end = ::lseek(fd_, 0, SEEK_END);
  (void)::lseek(fd_, at, SEEK_SET);
  return end > 0 ? static_cast<std::uint64_t>(end) : 0;
}

void Input::rewind() {
  if (::lseek(fd_, 0, SEEK_SET) != 0) fail("its file cannot be read twice");
  taken_ = 0;
  is_cut_ = false;
  fill();
}

std::string Input::whole() {
  rewind();
  std::string bytes;
  bytes.reserve(size());
  while (true) {
    const auto part = take(buffer_.size());
    if (part.empty()) return bytes;
    bytes += part;
  }
}

std::string_view Input::peek(std::size_t size) const { return rest_.substr(0, size); }

std::string_view Input::take(std::size_t size) {
  if (rest_.empty()) fill();
  const auto part = rest_.substr(0, size);
  rest_.remove_prefix(part.size());
  taken_ += part.size();
  is_cut_ = is_cut_ || part.empty();
  return part;
}

}  // namespace eole::picture
