#include "common/protocol/log_lines.hpp"

namespace eole::protocol {

void put_log_line(Bytes& out, const LogLine& line) {
  put<std::int64_t>(out, line.unix_ms);
  put<std::uint8_t>(out, static_cast<std::uint8_t>(line.level));
  put<std::uint32_t>(out, line.task.origin);
  put<std::uint64_t>(out, line.task.seq);
  const auto text = std::string_view(line.text).substr(0, kLogTextBytesMax);
  put<std::uint16_t>(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

std::optional<LogLine> read_log_line(ByteReader& reader) {
  LogLine line;
  line.unix_ms = reader.get<std::int64_t>();
  const auto level = reader.get<std::uint8_t>();
  line.task.origin = reader.get<std::uint32_t>();
  line.task.seq = reader.get<std::uint64_t>();
  const auto text = reader.take(reader.get<std::uint16_t>());
  if (!reader.ok() || text.size() > kLogTextBytesMax || level < 1 || level > 3) return std::nullopt;
  line.level = static_cast<LogLevel>(level);
  line.text = text;
  return line;
}

std::optional<std::uint32_t> count_log_lines(std::string_view lines) {
  if (lines.size() > kLogLinesBytesMax) return std::nullopt;
  std::uint32_t count = 0;
  for (ByteReader reader(lines); !reader.is_done(); ++count)
    if (!read_log_line(reader)) return std::nullopt;
  return count;
}

}  // namespace eole::protocol
