#include "common/base/histogram.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;

TEST_CASE("a histogram counts in buckets whose bounds are part of them", "[histogram]") {
  Histogram histogram;
  histogram.add(5);
  histogram.add(6, 3);
  histogram.add(-7);  // A clock was set.
  histogram.add(4'000'000);
  CHECK(histogram.counts()[0] == 2);
  CHECK(histogram.counts()[1] == 3);
  CHECK(histogram.counts().back() == 1);
  CHECK(histogram.sum_ms() == 5 + 18 + 4'000'000);
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
