#include "worker/command/progress_lines.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace eole::command {

void ProgressLines::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    begun_ += piece.substr(0, std::min(piece.size(), kLineBytesMax - begun_.size()));
    if (end == std::string_view::npos) return;
    read(std::exchange(begun_, {}));
    bytes.remove_prefix(end + 1);
  }
}

void ProgressLines::read(std::string_view line) {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  const auto* end = line.data() + line.size();
  auto [at, error] = std::from_chars(line.data(), end, done);
  bool has_numbers = error == std::errc{};
  if (has_numbers && at != end && *at == '/') {
    const auto behind = std::from_chars(at + 1, end, total);
    has_numbers = behind.ec == std::errc{};
    at = behind.ptr;
  }
  has_numbers = has_numbers && (at == end || *at == ' ');
  if (has_numbers) {
    told_ = {done, total, {}};
    line = at == end ? std::string_view() : std::string_view(at + 1, end);
  }
  told_.text = line;
  is_new_ = true;
}

std::optional<ProgressLines::Told> ProgressLines::take() {
  if (!std::exchange(is_new_, false)) return std::nullopt;
  return told_;
}

}  // namespace eole::command
