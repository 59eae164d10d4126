#include "sink/core/runs.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;

TEST_CASE("a run's level only rises, and is its first user's alone", "[sink]") {
  Runs runs;
  REQUIRE(runs.level(7, 5) == 0);
  REQUIRE(runs.may_use(7, "alice"));
  REQUIRE(runs.claim(7, "alice"));
  REQUIRE_FALSE(runs.claim(7, "alice"));
  runs.raise(7, 5, 10);
  runs.raise(7, 5, 3);
  REQUIRE(runs.level(7, 5) == 10);
  REQUIRE(runs.level(7, 6) == 0);  // Another origin's results have numbers of their own.
  REQUIRE(runs.may_use(7, "alice"));
  REQUIRE_FALSE(runs.may_use(7, "bob"));
  runs.raise(8, 5, 10);
  REQUIRE(runs.level(8, 5) == 0);  // Nobody claimed it.
}

TEST_CASE("two million made-up runs push out only runs of the same key", "[sink]") {
  Runs runs;
  const auto use = [&](RunId run, const std::string& user) {
    runs.claim(run, user);
    runs.raise(run, 5, 9);
  };
  use(1, "alice");
  use(2, "mallory");
  for (RunId run = 10; run < 10 + kRunsPerUserMax - 1; ++run) use(run, "mallory");
  REQUIRE(runs.level(2, 5) == 9);
  use(2, "mallory");  // Used again: others are older now.
  for (RunId run = 100000; run < 2100000; ++run) {
    use(run, "mallory");
    if (run % 10000 == 0) use(2, "mallory");
  }
  REQUIRE(runs.count() == kRunsPerUserMax + 1);
  REQUIRE(runs.level(1, 5) == 9);
  REQUIRE(runs.level(2, 5) == 9);
  REQUIRE(runs.level(10, 5) == 0);
}
