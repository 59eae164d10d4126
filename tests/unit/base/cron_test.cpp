#include "common/base/cron.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/base/durations.hpp"

using namespace eole;

namespace {

std::int64_t seconds_of(std::string_view time) { return *parse_time(time) / 1'000; }

Zone zone_of(std::string_view name) {
  auto zone = Zone::find(name);
  REQUIRE(zone);
  return *zone;
}

/// The beats behind `from`, as people read them in UTC.
std::vector<std::string> beats(std::string_view expression, std::string_view zone,
                               std::string_view from, std::size_t count) {
  const auto cron = Cron::parse(expression);
  REQUIRE(cron);
  std::vector<std::string> out;
  for (auto at = seconds_of(from); out.size() < count;) {
    const auto next = cron->next_after(at, zone_of(zone));
    REQUIRE(next);
    REQUIRE(*next > at);
    at = *next;
    out.push_back(show_time(at * 1'000));
  }
  return out;
}

using Times = std::vector<std::string>;

}  // namespace

TEST_CASE("a cron expression is due when its fields say so", "[cron]") {
  REQUIRE(beats("*/5 * * * *", "UTC", "2026-01-01T00:00:00Z", 3) ==
          Times{"2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z", "2026-01-01T00:15:00Z"});
  REQUIRE(beats("30 6 * * mon-fri", "UTC", "2026-01-02T00:00:00Z", 2) ==
          Times{"2026-01-02T06:30:00Z", "2026-01-05T06:30:00Z"});
  REQUIRE(beats("0 0 1,15 jan,JUL *", "UTC", "2026-01-10T00:00:00Z", 3) ==
          Times{"2026-01-15T00:00:00Z", "2026-07-01T00:00:00Z", "2026-07-15T00:00:00Z"});
  REQUIRE(beats("10-20/5 3 * * *", "UTC", "2026-01-01T00:00:00Z", 4) ==
          Times{"2026-01-01T03:10:00Z", "2026-01-01T03:15:00Z", "2026-01-01T03:20:00Z",
                "2026-01-02T03:10:00Z"});
  REQUIRE(beats("50/4 23 * * *", "UTC", "2026-01-01T00:00:00Z", 4) ==
          Times{"2026-01-01T23:50:00Z", "2026-01-01T23:54:00Z", "2026-01-01T23:58:00Z",
                "2026-01-02T23:50:00Z"});
  REQUIRE(beats("0 12 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2) ==
          Times{"2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z"});
  REQUIRE(beats("0 0 * * 7", "UTC", "2026-01-01T00:00:00Z", 1) == Times{"2026-01-04T00:00:00Z"});
  REQUIRE(beats("0 9 * * *", "Asia/Tokyo", "2026-01-01T00:00:00Z", 2) ==
          Times{"2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"});
}

TEST_CASE("of two days that are given either will do, and a star asks for nothing", "[cron]") {
  REQUIRE(beats("0 0 13 * fri", "UTC", "2026-01-01T00:00:00Z", 4) ==
          Times{"2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z",
                "2026-01-16T00:00:00Z"});
  REQUIRE(beats("0 0 */10 * thu", "UTC", "2026-01-02T00:00:00Z", 2) ==
          Times{"2026-05-21T00:00:00Z", "2026-06-11T00:00:00Z"});
}

TEST_CASE("names stand for what people set up most", "[cron]") {
  REQUIRE(beats("@hourly", "UTC", "2026-01-01T00:30:00Z", 1) == Times{"2026-01-01T01:00:00Z"});
  REQUIRE(beats("@daily", "UTC", "2026-01-01T00:00:00Z", 1) == Times{"2026-01-02T00:00:00Z"});
  REQUIRE(beats("@midnight", "UTC", "2026-01-01T00:00:00Z", 1) == Times{"2026-01-02T00:00:00Z"});
  REQUIRE(beats("@weekly", "UTC", "2026-01-01T00:00:00Z", 1) == Times{"2026-01-04T00:00:00Z"});
  REQUIRE(beats("@monthly", "UTC", "2026-01-01T00:00:00Z", 1) == Times{"2026-02-01T00:00:00Z"});
  REQUIRE(beats("@yearly", "UTC", "2026-01-01T00:00:00Z", 1) == Times{"2027-01-01T00:00:00Z"});
}

// Paris goes from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
TEST_CASE("a beat in the skipped hour comes once, right behind it", "[cron]") {
  REQUIRE(beats("30 2 * * *", "Europe/Paris", "2026-03-28T00:00:00Z", 3) ==
          Times{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"});
  REQUIRE(beats("*/15 2 * * *", "Europe/Paris", "2026-03-28T02:00:00Z", 2) ==
          Times{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"});
  REQUIRE(beats("0,30 2,3 * * *", "Europe/Paris", "2026-03-28T03:00:00Z", 3) ==
          Times{"2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z"});
}

TEST_CASE("a beat in the repeated hour comes once, in the first of the two", "[cron]") {
  REQUIRE(beats("30 2 * * *", "Europe/Paris", "2026-10-24T00:00:00Z", 3) ==
          Times{"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"});
  REQUIRE(beats("0 3 * * *", "Europe/Paris", "2026-10-24T12:00:00Z", 2) ==
          Times{"2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"});
  // Asked for in the second of the two.
  REQUIRE(beats("45 2 * * *", "Europe/Paris", "2026-10-25T01:10:00Z", 1) ==
          Times{"2026-10-26T01:45:00Z"});
}

TEST_CASE("what is due in every hour goes by the time that passes", "[cron]") {
  REQUIRE(beats("30 * * * *", "Europe/Paris", "2026-03-29T00:00:00Z", 3) ==
          Times{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"});
  REQUIRE(beats("30 * * * *", "Europe/Paris", "2026-10-25T00:00:00Z", 3) ==
          Times{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"});
}

TEST_CASE("a nightly beat comes exactly once a day for ten years", "[cron]") {
  const std::string zone = GENERATE("Europe/Paris", "America/New_York");
  const std::string expression = GENERATE("30 2 * * *", "0 3 * * *", "0 0 * * *", "59 1 * * *");
  INFO(zone << ' ' << expression);
  const auto cron = Cron::parse(expression);
  const auto where = zone_of(zone);
  constexpr std::int64_t kDay = 86'400;
  const auto day_of = [&](std::int64_t at) { return (at + where.at(at).offset) / kDay; };
  auto at = seconds_of("2026-01-01T12:00:00Z");
  auto day = day_of(at);
  int changes = 0;
  for (int i = 0; i < 3'653; ++i) {
    const auto before = where.at(at).offset;
    at = *cron->next_after(at, where);
    REQUIRE(day_of(at) == ++day);
    if (where.at(at).offset != before) ++changes;
  }
  REQUIRE(changes == 20);
}

TEST_CASE("what is no cron expression is refused, and why", "[cron]") {
  const auto why = [](std::string_view written) {
    const auto cron = Cron::parse(written);
    return cron ? std::string() : cron.error().message;
  };
  const std::string hint = " (5, 1-5, */2, 1,3; names of months and days)";
  REQUIRE(why("60 * * * *") == "cron: minute 60: limits 0 and 59" + hint);
  REQUIRE(why("* 24 * * *") == "cron: hour 24: limits 0 and 23" + hint);
  REQUIRE(why("* * 0 * *") == "cron: day of the month 0: limits 1 and 31" + hint);
  REQUIRE(why("* * * foo *") == "cron: month foo: limits 1 and 12" + hint);
  REQUIRE(why("* * * * 8") == "cron: day of the week 8: limits 0 and 7" + hint);
  for (const auto* field : {"*/0", "5-1", "1,,2", "-", "1-", "/2", "*/x", "1-2-3", "+1", "1.5"})
    REQUIRE(why(std::string(field) + " * * * *") ==
            std::string("cron: minute ") + field + ": limits 0 and 59" + hint);
  for (const auto* written : {"", "* * * *", "* * * * * *", "@often", "5"})
    REQUIRE(why(written).find("five fields are needed") != std::string::npos);
  REQUIRE(why("0 0 30 2 *") == "cron: 0 0 30 2 *: never comes: no such day");
  REQUIRE(why("0 0 31 4,6,9,11 *") == "cron: 0 0 31 4,6,9,11 *: never comes: no such day");
  REQUIRE(why(std::string(300, '*')) == "cron: 300 bytes, limit 256");
}

TEST_CASE("a zone that is not known is refused with what was meant", "[cron]") {
  REQUIRE(Zone::find("Europe/Pariss").error().message ==
          "Europe/Pariss: no such time zone; did you mean Europe/Paris?");
  REQUIRE(Zone::find("../etc/passwd").error().message ==
          "../etc/passwd: no such time zone (Europe/Paris, America/New_York, UTC, …)");
}
