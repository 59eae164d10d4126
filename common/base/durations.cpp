#include "common/base/durations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/base/text.hpp"

namespace eole {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::array<Unit, 5> kUnits{
    // "ms" before "s", which it ends with.
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

constexpr std::int64_t kDayMs = 86'400'000;

/// Reads a time from left to right; once it is not ok, all reads are void.
class Reader {
 public:
  explicit Reader(std::string_view written) : rest_(written) {}

  /// A number of exactly so many digits.
  int number(std::size_t digits, int least, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = 10 * value + digit();
    ok_ = ok_ && value >= least && value <= most;
    return value;
  }
  char one_of(std::string_view characters) {
    const char next = rest_.empty() ? '\0' : rest_.front();
    ok_ = ok_ && next != '\0' && characters.find(next) != std::string_view::npos;
    if (ok_) rest_.remove_prefix(1);
    return next;
  }
  bool skip(char character) {
    if (!ok_ || !rest_.starts_with(character)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Of a second; at least one digit.
  int milliseconds() {
    int value = 0;
    int scale = 100;
    do {
      value += scale * digit();
      scale /= 10;
    } while (ok_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9');
    return value;
  }
  bool is_whole() const { return ok_ && rest_.empty(); }

 private:
  int digit() { return one_of("0123456789") - '0'; }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

Expected<std::uint64_t> parse_duration(std::string_view written) {
  const Error bad{text(written, ": is no span of time (90, 250ms, 1.5s, 5m, 2h, 3d)")};
  Unit unit{"", 1'000};
  for (const auto& each : kUnits)
    if (unit.name.empty() && written.ends_with(each.name)) unit = each;
  const auto number = written.substr(0, written.size() - unit.name.size());
  double count = 0;
  const auto* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, count, std::chars_format::fixed);
  if (error != std::errc{} || stop != end || !std::isfinite(count) || number.starts_with('-'))
    return bad;
  const auto milliseconds = count * static_cast<double>(unit.milliseconds);
  if (milliseconds > static_cast<double>(kDurationMsMax))
    return Error{text(written, ": longer than a hundred years")};
  return static_cast<std::uint64_t>(count > 0 ? std::max(1.0, std::round(milliseconds)) : 0);
}

std::string show_duration(std::uint64_t milliseconds) {
  const Unit* unit = &kUnits[1];
  for (const auto& each : kUnits)
    if (each.milliseconds > unit->milliseconds && milliseconds % each.milliseconds == 0 &&
        milliseconds != 0)
      unit = &each;
  const auto whole = milliseconds / unit->milliseconds;
  auto fraction = std::to_string(1'000 + milliseconds % unit->milliseconds).substr(1);
  while (fraction.ends_with('0')) fraction.pop_back();
  return text(whole, fraction.empty() ? "" : ".", fraction, unit->name);
}

Expected<std::int64_t> parse_time(std::string_view written) {
  using namespace std::chrono;
  Reader reader(written);
  const int year_number = reader.number(4, 0, 9999);
  reader.one_of("-");
  const int month_number = reader.number(2, 1, 12);
  reader.one_of("-");
  const int day_number = reader.number(2, 1, 31);
  reader.one_of("Tt ");
  std::int64_t seconds = 3600 * reader.number(2, 0, 23);
  reader.one_of(":");
  seconds += 60 * reader.number(2, 0, 59);
  reader.one_of(":");
  seconds += reader.number(2, 0, 60);
  const int fraction = reader.skip('.') ? reader.milliseconds() : 0;
  const char sign = reader.one_of("Zz+-");
  std::int64_t offset = 0;
  if (sign == '+' || sign == '-') {
    offset = 3600 * reader.number(2, 0, 23);
    reader.one_of(":");
    offset += 60 * reader.number(2, 0, 59);
  }
  const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number))};
  if (!reader.is_whole() || !date.ok())
    return Error{text(written, ": is no time (2026-01-31T12:00:00Z, 2026-01-31T12:00:00+01:00)")};
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return days * kDayMs + 1'000 * (seconds - (sign == '-' ? -offset : offset)) + fraction;
}

std::string show_time(std::int64_t unix_ms) {
  using namespace std::chrono;
  const auto days = floor<std::chrono::days>(milliseconds(unix_ms));
  const year_month_day date{sys_days(days)};
  const auto within = static_cast<int>((milliseconds(unix_ms) - days).count());
  char out[64];
  const int seconds = within / 1'000;
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d", int(date.year()),
                unsigned(date.month()), unsigned(date.day()), seconds / 3600, seconds / 60 % 60,
                seconds % 60);
  const auto fraction = within % 1'000;
  if (fraction == 0) return text(out, "Z");
  return text(out, ".", std::to_string(1'000 + fraction).substr(1), "Z");
}

std::string human_seconds(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  char out[32];
  if (seconds < 60)
    std::snprintf(out, sizeof out, "%.1f s", seconds);
  else if (whole < 3600)
    std::snprintf(out, sizeof out, "%ld:%02ld min", whole / 60, whole % 60);
  else
    std::snprintf(out, sizeof out, "%ld:%02ld h", whole / 3600, whole / 60 % 60);
  return out;
}

}  // namespace eole
