#include "common/base/durations.hpp"

#include <catch2/catch.hpp>

using namespace eole;

namespace {

std::int64_t duration(std::string_view written) {
  const auto parsed = parse_duration(written);
  return parsed ? static_cast<std::int64_t>(*parsed) : -1;
}

std::int64_t time_of(std::string_view written) {
  const auto parsed = parse_time(written);
  return parsed ? *parsed : -1;
}

constexpr std::int64_t kTime = 1'800'000'000'000;  // 2027-01-15T08:00:00Z

}  // namespace

TEST_CASE("a span of time is written with its unit, or in seconds", "[durations]") {
  REQUIRE(duration("90") == 90'000);
  REQUIRE(duration("0") == 0);
  REQUIRE(duration("0.5") == 500);
  REQUIRE(duration("250ms") == 250);
  REQUIRE(duration("1.5s") == 1'500);
  REQUIRE(duration("5m") == 300'000);
  REQUIRE(duration("2h") == 7'200'000);
  REQUIRE(duration("3d") == 259'200'000);
  REQUIRE(duration("0.0001s") == 1);  // Never none where some was asked for.
  REQUIRE(duration("36525d") == kDurationMsMax);
}

TEST_CASE("what is no span of time is refused, and why", "[durations]") {
  for (const auto* bad : {"", "s", "soon", "-1", "-0", "5x", "5 m", " 5m", "1e3", "nan", "inf",
                          "1h30m", "+5", "0x10", "5M"}) {
    INFO(bad);
    const auto parsed = parse_duration(bad);
    REQUIRE_FALSE(parsed);
    REQUIRE(parsed.error().message ==
            std::string(bad) + ": is no span of time (90, 250ms, 1.5s, 5m, 2h, 3d)");
  }
  REQUIRE(parse_duration("36526d").error().message == "36526d: longer than a hundred years");
}

TEST_CASE("a span of time is shown as it may be written", "[durations]") {
  REQUIRE(show_duration(0) == "0s");
  REQUIRE(show_duration(1) == "0.001s");
  REQUIRE(show_duration(1'500) == "1.5s");
  REQUIRE(show_duration(90'000) == "90s");
  REQUIRE(show_duration(300'000) == "5m");
  REQUIRE(show_duration(7'200'000) == "2h");
  REQUIRE(show_duration(259'200'000) == "3d");
  for (const std::uint64_t each : {1, 999, 1'001, 59'999, 61'000, 3'600'001})
    REQUIRE(duration(show_duration(each)) == static_cast<std::int64_t>(each));
}

TEST_CASE("a time is written as RFC 3339 has it", "[durations]") {
  REQUIRE(time_of("2027-01-15T08:00:00Z") == kTime);
  REQUIRE(time_of("2027-01-15t08:00:00z") == kTime);
  REQUIRE(time_of("2027-01-15 08:00:00Z") == kTime);
  REQUIRE(time_of("2027-01-15T08:00:00.25Z") == kTime + 250);
  REQUIRE(time_of("2027-01-15T08:00:00.123999Z") == kTime + 123);
  REQUIRE(time_of("2027-01-15T10:30:00+02:30") == kTime);
  REQUIRE(time_of("2027-01-14T23:00:00-09:00") == kTime);
  REQUIRE(time_of("2024-02-29T00:00:00Z") == 1'709'164'800'000);
  REQUIRE(time_of("2016-12-31T23:59:60Z") == time_of("2017-01-01T00:00:00Z"));
}

TEST_CASE("what is no time is refused, and why", "[durations]") {
  for (const auto* bad :
       {"", "now", "1800000000", "2027-01-15", "2027-01-15T08:00Z", "2027-01-15T08:00:00",
        "2027-13-01T00:00:00Z", "2027-02-29T00:00:00Z", "2027-01-15T24:00:00Z",
        "2027-01-15T08:60:00Z", "2027-01-15T08:00:61Z", "2027-01-15T08:00:00.Z",
        "2027-01-15T08:00:00+0230", "2027-01-15T08:00:00Z!", "27-01-15T08:00:00Z"}) {
    INFO(bad);
    const auto parsed = parse_time(bad);
    REQUIRE_FALSE(parsed);
    REQUIRE(parsed.error().message ==
            std::string(bad) + ": is no time (2026-01-31T12:00:00Z, 2026-01-31T12:00:00+01:00)");
  }
}

TEST_CASE("a time is shown in UTC as it may be written", "[durations]") {
  REQUIRE(show_time(kTime) == "2027-01-15T08:00:00Z");
  REQUIRE(show_time(kTime + 7) == "2027-01-15T08:00:00.007Z");
  REQUIRE(show_time(0) == "1970-01-01T00:00:00Z");
  REQUIRE(show_time(-1) == "1969-12-31T23:59:59.999Z");
}
