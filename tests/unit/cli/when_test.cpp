#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

#include "cli/lookup.hpp"

using namespace eole;
using cli::parse_when;

namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;  // 2027-01-15T08:00:00Z

std::int64_t when(const std::string& written) {
  const auto parsed = parse_when(written, kNow);
  return parsed ? *parsed : -1;
}

}  // namespace

TEST_CASE("a time may be told as an age", "[when]") {
  REQUIRE(when("30s") == kNow - 30'000);
  REQUIRE(when("10m") == kNow - 600'000);
  REQUIRE(when("2h") == kNow - 7'200'000);
  REQUIRE(when("1d") == kNow - 86'400'000);
  REQUIRE(when("0s") == kNow);
  REQUIRE(when("100000000d") == 0);  // Before everything.
}

TEST_CASE("a time may be told as RFC 3339 has it", "[when]") {
  REQUIRE(when("2027-01-15T08:00:00Z") == kNow);
  REQUIRE(when("2027-01-15t08:00:00z") == kNow);
  REQUIRE(when("2027-01-15 08:00:00Z") == kNow);
  REQUIRE(when("2027-01-15T08:00:00.25Z") == kNow + 250);
  REQUIRE(when("2027-01-15T08:00:00.123456Z") == kNow + 123);
  REQUIRE(when("2027-01-15T10:30:00+02:30") == kNow);
  REQUIRE(when("2027-01-15T03:00:00-05:00") == kNow);
}

TEST_CASE("a day begins at midnight, here", "[when]") {
  const char* before = std::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TZ", "UTC-1", 1);  // One hour east of Greenwich.
  ::tzset();
  REQUIRE(when("2027-01-15") == kNow - 9 * 3'600'000);
  REQUIRE(when("today") == kNow - 9 * 3'600'000);
  before == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", kept.c_str(), 1);
  ::tzset();
}

TEST_CASE("what is no time is refused with what would be one", "[when]") {
  for (const auto* bad :
       {"", "soon", "10", "10x", "-5m", "1.5h", "m", "999999999999d", "2027-13-01",
        "2027-01-15T08:00", "2027-01-15T08:00:00", "2027-01-15T08:00:00+0230",
        "2027-01-15T08:00:00Z!", "2027-01-15X08:00:00Z"}) {
    const auto parsed = parse_when(bad, kNow);
    INFO(bad);
    REQUIRE_FALSE(parsed);
    REQUIRE(parsed.error().message.find("10m, 2h, 1d ago, today, or 2026-01-31T12:00:00Z") !=
            std::string::npos);
  }
}
