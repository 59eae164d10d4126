#include "worker/handlers/rate.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using worker::Rate;

namespace {

// Bytes that come in a time if they come as soon as they may, so many at once.
std::uint64_t taken(Rate& rate, TimePoint from, Duration time, std::uint64_t at_once) {
  std::uint64_t bytes = 0;
  for (auto now = from; now < from + time; now += 1ms)
    if (!rate.is_ahead(now)) {
      rate.add(at_once, now);
      bytes += at_once;
    }
  return bytes;
}

}  // namespace

TEST_CASE("a rate lets as many bytes pass as it says, however many come at once", "[rate]") {
  for (const std::uint64_t at_once : {1000, 16'384, 200'000}) {
    Rate rate(1'000'000);
    const auto bytes = taken(rate, TimePoint(1000s), 10s, at_once);
    CHECK(bytes > 9'900'000);
    CHECK(bytes <= 10'100'000 + at_once);
  }
}

TEST_CASE("an hour of silence is not made up for", "[rate]") {
  Rate rate(1'000'000);
  taken(rate, TimePoint(1000s), 1s, 1000);
  CHECK(taken(rate, TimePoint(5000s), 1s, 1000) <= 1'101'000);
}

TEST_CASE("without a rate nothing waits", "[rate]") {
  Rate rate;
  rate.add(UINT64_MAX, TimePoint(1000s));
  CHECK_FALSE(rate.is_ahead(TimePoint(1000s)));
}
