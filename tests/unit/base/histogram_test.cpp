#include "common/base/histogram.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using namespace std::chrono_literals;

TEST_CASE("a histogram counts in buckets whose bounds are part of them", "[histogram]") {
  Histogram histogram;
  histogram.add(5ms);
  histogram.add(6ms, 3);
  histogram.add(-7ms);  // A clock was set.
  histogram.add(4'000s);
  CHECK(histogram.counts()[0] == 2);
  CHECK(histogram.counts()[1] == 3);
  CHECK(histogram.counts().back() == 1);
  CHECK(histogram.sum_us() == 23'000 + 4'000'000'000);
}

TEST_CASE("so large a part of what a histogram counts took at most so long", "[histogram]") {
  SyncTimes times;
  CHECK(times.at_most_us(0.5) == 0);
  times.add(80us, 990);
  times.add(700us);
  CHECK(times.at_most_us(0.5) == 100);
  CHECK(times.at_most_us(0.99) == 100);
  times.add(30ms, 20);
  CHECK(times.at_most_us(0.99) == 50'000);
  times.add(3'600s, 1000);
  CHECK(times.at_most_us(0.99) == 10'000'000);
}

TEST_CASE("kinds beyond the bound are counted together", "[histogram]") {
  ByKind<int> counts;
  for (std::size_t i = 0; i < kKindsCountedMax + 10; ++i) ++counts.of(text("kind", i));
  CHECK(counts.of("kind3") == 1);
  CHECK(counts.of("(others)") == 10);
  CHECK(counts.all().size() == kKindsCountedMax + 1);
}

TEST_CASE("counts that are copied go on for themselves", "[histogram]") {
  ByKind<int> counts;
  ++counts.of("echo");
  auto copy = counts;
  ++copy.of("echo");
  CHECK(counts.of("echo") == 1);
  CHECK(copy.of("echo") == 2);
}
