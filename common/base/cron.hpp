#pragma once
#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/expected.hpp"
#include "common/base/zone.hpp"

namespace eole {

/// When something is due, as cron has it: minute, hour, day of the month, month, day of the week;
/// lists, ranges, steps, names (jan, mon), or @hourly, @daily, @weekly, @monthly, @yearly. If both
/// days are given (neither begins with a star), either will do. Pure.
class Cron {
 public:
  /// Errors name the field, what is wrong with it, and its limits. What never comes (30 February)
  /// is refused.
  static Expected<Cron> parse(std::string_view written);

  /// The first beat behind this second, both since 1970; nothing if there is none in 40 years.
  /// Clocks that are changed: what falls into a skipped hour is due right behind it, what falls
  /// into a repeated one in the first of the two, so that a nightly beat comes once a night. If it
  /// is due in every hour, it goes by the time that passes, with nothing added or left out.
  std::optional<std::int64_t> next_after(std::int64_t unix_seconds, const Zone& zone) const;

 private:
  std::optional<std::int64_t> next_within(const Zone::Period& period, std::int64_t begin,
                                          std::int64_t offset_before) const;
  /// The first local time that is due, from … to - 1, in seconds.
  std::optional<std::int64_t> first_due(std::int64_t from, std::int64_t to) const;
  bool is_due_on(std::chrono::sys_days day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;
  bool is_either_day_ = false;
};

}  // namespace eole
