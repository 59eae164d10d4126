#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/log_line.hpp"

namespace eole::protocol {

constexpr std::size_t kLogLinesBytesMax = 64 << 10;  // Of one message.

/// One line: i64 Unix ms, u8 level (1 info, 2 warn, 3 error), u32 origin, u64 seq (zero: about no
/// task), u16 size of the text; text.
void put_log_line(Bytes& out, const LogLine& line);
/// Nothing, and the reader not ok, if it is malformed.
std::optional<LogLine> read_log_line(ByteReader& reader);
/// How many lines there are; nothing if they are malformed, or of more bytes than a message has.
std::optional<std::uint32_t> count_log_lines(std::string_view lines);

}  // namespace eole::protocol
