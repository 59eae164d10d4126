#include "common/base/cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "common/base/text.hpp"

namespace eole {

namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;
// The weekdays of 29 February repeat after 28 years, or 40 around a year like 2100.
constexpr std::int64_t kHorizon = 41 * 366 * kDay;
constexpr std::size_t kExpressionBytesMax = 256;

struct Field {
  std::string_view name;
  unsigned least;
  unsigned most;
  std::string_view words = {};  // Three letters each, from `least` on.
};
constexpr std::array<Field, 5> kFields{{{"minute", 0, 59},
                                        {"hour", 0, 23},
                                        {"day of the month", 1, 31},
                                        {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                        {"day of the week", 0, 7, "sunmontuewedthufrisat"}}};

struct Nickname {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array<Nickname, 7> kNicknames{{{"@hourly", "0 * * * *"},
                                              {"@daily", "0 0 * * *"},
                                              {"@midnight", "0 0 * * *"},
                                              {"@weekly", "0 0 * * 0"},
                                              {"@monthly", "0 0 1 * *"},
                                              {"@yearly", "0 0 1 1 *"},
                                              {"@annually", "0 0 1 1 *"}}};

std::vector<std::string_view> split(std::string_view text, std::string_view between) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find_first_of(between);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<unsigned> number_of(std::string_view written) {
  unsigned value = 0;
  const auto* end = written.data() + written.size();
  const auto [stop, error] = std::from_chars(written.data(), end, value);
  if (error != std::errc{} || stop != end || written.size() > 4) return std::nullopt;
  return value;
}

std::optional<unsigned> value_of(const Field& field, std::string_view written) {
  for (std::size_t at = 0; at < field.words.size() && written.size() == 3; at += 3) {
    const auto is_same = [](char one, char other) { return (one | 0x20) == other; };
    if (std::equal(written.begin(), written.end(), field.words.begin() + at, is_same))
      return field.least + static_cast<unsigned>(at / 3);
  }
  const auto value = number_of(written);
  if (!value || *value < field.least || *value > field.most) return std::nullopt;
  return value;
}

// "*", "5", "1-5", each with "/2" behind it or not.
template <std::size_t kSize>
bool read_part(const Field& field, std::string_view part, std::bitset<kSize>& set) {
  const auto slash = part.find('/');
  const auto range = part.substr(0, slash);
  std::optional<unsigned> step = 1;
  if (slash != std::string_view::npos) step = number_of(part.substr(slash + 1));
  auto first = std::optional(field.least);
  auto last = std::optional(field.most);
  if (range != "*") {
    const auto dash = range.find('-');
    first = value_of(field, range.substr(0, dash));
    if (dash != std::string_view::npos) {
      last = value_of(field, range.substr(dash + 1));
    } else if (slash == std::string_view::npos) {
      last = first;
    }
  }
  if (!step || *step == 0 || !first || !last || *first > *last) return false;
  for (auto value = *first; value <= *last; value += *step) set.set(value);
  return true;
}

template <std::size_t kSize>
Expected<void> read_field(std::size_t number, std::string_view written, std::bitset<kSize>& set) {
  const auto& field = kFields[number];
  for (const auto part : split(written, ","))
    if (!read_part(field, part, set))
      return Error{text("cron: ", field.name, " ", written, ": limits ", field.least, " and ",
                        field.most, " (5, 1-5, */2, 1,3; names of months and days)")};
  return {};
}

std::int64_t floor_to(std::int64_t value, std::int64_t unit) {
  const auto rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

}  // namespace

Expected<Cron> Cron::parse(std::string_view written) {
  if (written.size() > kExpressionBytesMax)
    return Error{text("cron: ", written.size(), " bytes, limit ", kExpressionBytesMax)};
  auto meant = written;
  for (const auto& nickname : kNicknames)
    if (written == nickname.name) meant = nickname.meaning;
  auto fields = split(meant, " \t");
  std::erase(fields, std::string_view());
  if (fields.size() != kFields.size())
    return Error{text("cron: ", written,
                      ": five fields are needed (minute, hour, day of the month, ",
                      "month, day of the week), or @hourly, @daily, @weekly, @monthly, @yearly")};
  Cron cron;
  for (const auto& read :
       {read_field(0, fields[0], cron.minutes_), read_field(1, fields[1], cron.hours_),
        read_field(2, fields[2], cron.days_), read_field(3, fields[3], cron.months_),
        read_field(4, fields[4], cron.weekdays_)})
    if (!read) return read.error();
  if (cron.weekdays_.test(7)) cron.weekdays_.set(0);
  cron.is_either_day_ = !fields[2].starts_with('*') && !fields[4].starts_with('*');
  constexpr std::int64_t kSome = 946'684'800;  // 2000: the years behind it have all that repeats.
  if (!cron.first_due(kSome, kSome + kHorizon))
    return Error{text("cron: ", written, ": never comes: no such day")};
  return cron;
}

bool Cron::is_due_on(std::chrono::sys_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months_.test(unsigned(date.month()))) return false;
  const bool is_day = days_.test(unsigned(date.day()));
  const bool is_weekday = weekdays_.test(std::chrono::weekday(day).c_encoding());
  return is_either_day_ ? is_day || is_weekday : is_day && is_weekday;
}

std::optional<std::int64_t> Cron::first_due(std::int64_t from, std::int64_t to) const {
  auto time = floor_to(from + kMinute - 1, kMinute);
  while (time < to) {
    const auto day = floor_to(time, kDay);
    if (!is_due_on(std::chrono::sys_days(std::chrono::days(day / kDay)))) {
      time = day + kDay;
      continue;
    }
    for (; time < std::min(to, day + kDay); time += kMinute) {
      const auto hour = static_cast<std::size_t>((time - day) / kHour);
      if (!hours_.test(hour)) {
        time = day + static_cast<std::int64_t>(hour + 1) * kHour - kMinute;
        continue;
      }
      if (minutes_.test(static_cast<std::size_t>((time - day) % kHour / kMinute))) return time;
    }
  }
  return std::nullopt;
}

// The first beat of a period from `begin` on, in UTC.
std::optional<std::int64_t> Cron::next_within(const Zone::Period& period, std::int64_t begin,
                                              std::int64_t offset_before) const {
  auto from = begin + period.offset;
  const auto last = period.begin + offset_before;  // Local time up to which the one before went.
  if (!hours_.all()) {
    // Skipped: due at once. Repeated: it was due already.
    const bool is_skipping = begin == period.begin && last < from;
    if (is_skipping && first_due(last, from)) return begin;
    from = std::max(from, last);
  }
  const auto due = first_due(from, period.end + period.offset);
  return due ? std::optional(*due - period.offset) : std::nullopt;
}

std::optional<std::int64_t> Cron::next_after(std::int64_t unix_seconds, const Zone& zone) const {
  const auto end = unix_seconds + kHorizon;
  for (auto begin = unix_seconds + 1; begin < end;) {
    auto period = zone.at(begin);
    const bool is_young = begin - period.begin < 2 * kDay;
    const auto offset_before = is_young ? zone.at(period.begin - 1).offset : period.offset;
    const auto next = period.end;
    period.end = std::min(period.end, end);
    if (const auto found = next_within(period, begin, offset_before)) return found;
    begin = next;
  }
  return std::nullopt;
}

}  // namespace eole
