#include "gateway/core/http/dates.hpp"

#include <chrono>
#include <string_view>

#include "common/base/text.hpp"

namespace eole::gateway::http {

namespace {

constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string digits(long long number, std::size_t count) {
  auto out = std::to_string(number);
  return out.size() < count ? std::string(count - out.size(), '0') + out : out;
}

}  // namespace

std::string http_date(std::int64_t unix_seconds) {
  namespace chrono = std::chrono;
  const chrono::sys_seconds time{chrono::seconds(unix_seconds)};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  return text(kDays[chrono::weekday(day).c_encoding()], ", ",
              digits(static_cast<unsigned>(date.day()), 2), " ",
              kMonths[static_cast<unsigned>(date.month()) - 1], " ",
              digits(static_cast<int>(date.year()), 4), " ", digits(clock.hours().count(), 2), ":",
              digits(clock.minutes().count(), 2), ":", digits(clock.seconds().count(), 2), " GMT");
}

}  // namespace eole::gateway::http
