#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"

namespace eole {

enum class LogLevel : std::uint8_t { kInfo = 1, kWarning, kError };
/// "info", "warn", "error".
std::string_view to_text(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view name);

/// What a process said of its work, for people.
struct LogLine {
  std::int64_t unix_ms = 0;
  LogLevel level = LogLevel::kInfo;
  TaskId task = {};  // The one that it is about; its seq is zero: about none.
  std::string text;
  bool operator==(const LogLine&) const = default;
};

constexpr std::size_t kLogTextBytesMax = 4096;          // Of one line; the rest is cut off.
constexpr std::size_t kLogWaitingBytesMax = 256 << 10;  // Of lines that were not sent yet.

/// Lines that wait to be sent. Beyond the bound the oldest go, and are counted. One thread.
class LogBuffer {
 public:
  void add(LogLine line);
  struct Taken {
    std::vector<LogLine> lines;
    std::uint64_t dropped = 0;  // Before these, since the last time.
  };
  /// The oldest, of about so many bytes.
  Taken take(std::size_t bytes);
  bool is_empty() const { return lines_.empty(); }

 private:
  std::deque<LogLine> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace eole
