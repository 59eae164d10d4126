#include "worker/picture/input.hpp"

#include <unistd.h>

#include <cerrno>

#include "worker/picture/report.hpp"

namespace eole::picture {

Input::Input() : buffer_(1 << 16) { fill(); }

void Input::fill() {
  ssize_t got = 0;
  do {
    got = ::read(kInput, buffer_.data(), buffer_.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) fail("its file cannot be read");
  rest_ = {buffer_.data(), static_cast<std::size_t>(got)};
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
