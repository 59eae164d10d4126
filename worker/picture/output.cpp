#include "worker/picture/output.hpp"

#include <unistd.h>

#include <cerrno>

#include "common/base/text.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {
constexpr std::size_t kPieceBytes = 1 << 18;
}  // namespace

void Output::add(std::string_view bytes) {
  size_ += bytes.size();
  if (size_ > kFileBytesMax) fail(text("a result of more than ", kFileBytesMax, " bytes"));
  while (!bytes.empty()) {
    if (pieces_.empty() || pieces_.back().size() == kPieceBytes)
      pieces_.emplace_back().reserve(kPieceBytes);
    const auto part = bytes.substr(0, kPieceBytes - pieces_.back().size());
    pieces_.back() += part;
    bytes.remove_prefix(part.size());
  }
}

std::string Output::whole() const {
  std::string bytes;
  for (const auto& piece : pieces_) bytes += piece;
  return bytes;
}

void Output::write_to(int fd) const {
  for (const auto& piece : pieces_)
    for (std::size_t at = 0; at < piece.size();) {
      const auto written = ::write(fd, piece.data() + at, piece.size() - at);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail("its result cannot be written: is the disk full?");
      at += static_cast<std::size_t>(written);
    }
}

}  // namespace eole::picture
