#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"

/// How people write spans and points of time: the same on command lines, in JSON and in files.
namespace eole {

constexpr std::uint64_t kDurationMsMax =
    3'155'760'000'000;  // A hundred years: longer is a mistake.

/// Milliseconds of "90" (seconds), "250ms", "1.5s", "5m", "2h" or "3d"; what is below one
/// millisecond counts as one. Errors name what was written and the limit.
Expected<std::uint64_t> parse_duration(std::string_view written);
/// As parse_duration reads it: "1.5s", "5m". In the largest unit that has no fraction.
std::string show_duration(std::uint64_t milliseconds);

/// Milliseconds since 1970 of "2026-01-31T12:00:00Z", "2026-01-31 12:00:00.25+01:00": a time as
/// RFC 3339 has it, with its offset. A leap second is the second behind it.
Expected<std::int64_t> parse_time(std::string_view written);
/// In UTC: "2026-01-31T12:00:00Z", with milliseconds if it has some.
std::string show_time(std::int64_t unix_ms);

/// "3.2 s", "4:05 min", "2:10 h".
std::string human_seconds(double seconds);

}  // namespace eole
