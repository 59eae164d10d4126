#include "common/base/log_line.hpp"

#include <array>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/utf8.hpp"

namespace eole {

namespace {

constexpr std::array<std::string_view, 3> kNames{"info", "warn", "error"};

std::size_t bytes_of(const LogLine& line) { return sizeof(LogLine) + line.text.size(); }

}  // namespace

std::string_view to_text(LogLevel level) { return kNames.at(static_cast<std::size_t>(level) - 1); }

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames.at(i) == name) return static_cast<LogLevel>(i + 1);
  return std::nullopt;
}

void LogBuffer::add(LogLine line) {
  if (line.text.size() > kLogTextBytesMax)
    line.text = std::string(cut_text(line.text, kLogTextBytesMax));
  bytes_ += bytes_of(line);
  lines_.push_back(std::move(line));
  while (bytes_ > kLogWaitingBytesMax && !planted("log-lines-wait-without-a-bound")) {
    bytes_ -= bytes_of(lines_.front());
    lines_.pop_front();
    ++dropped_;
  }
}

LogBuffer::Taken LogBuffer::take(std::size_t bytes) {
  Taken taken{{}, std::exchange(dropped_, 0)};
  for (std::size_t sum = 0; !lines_.empty() && sum < bytes;) {
    const auto own = bytes_of(lines_.front());
    sum += own;
    bytes_ -= own;
    taken.lines.push_back(std::move(lines_.front()));
    lines_.pop_front();
  }
  return taken;
}

}  // namespace eole
