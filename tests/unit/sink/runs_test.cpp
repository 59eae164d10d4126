#include "sink/core/runs.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;

TEST_CASE("a run's level only rises, and is its first user's alone", "[sink]") {
  Runs runs;
  REQUIRE(runs.level(7) == 0);
  REQUIRE(runs.may_use(7, "alice"));
  REQUIRE(runs.raise(7, "alice", 5));
  REQUIRE_FALSE(runs.raise(7, "alice", 3));
  REQUIRE(runs.level(7) == 5);
  REQUIRE(*runs.user_of(7) == "alice");
  REQUIRE(runs.may_use(7, "alice"));
  REQUIRE_FALSE(runs.may_use(7, "bob"));
}

TEST_CASE("two million made-up runs push out only runs of the same key", "[sink]") {
  Runs runs;
  runs.raise(1, "alice", 9);
  runs.raise(2, "mallory", 8);
  for (RunId run = 10; run < 10 + kRunsPerUserMax - 1; ++run) runs.raise(run, "mallory", 1);
  REQUIRE(runs.level(2) == 8);
  runs.raise(2, "mallory", 8);  // Used again: others are older now.
  for (RunId run = 100000; run < 2100000; ++run) {
    runs.raise(run, "mallory", 1);
    if (run % 10000 == 0) runs.raise(2, "mallory", 8);
  }
  REQUIRE(runs.count() == kRunsPerUserMax + 1);
  REQUIRE(runs.level(1) == 9);
  REQUIRE(runs.level(2) == 8);
  REQUIRE(runs.level(10) == 0);
}
