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
  REQUIRE(runs.most_of_a_user() == kRunsPerUserMax);
  REQUIRE(runs.level(1, 5) == 9);
  REQUIRE(runs.level(2, 5) == 9);
  REQUIRE(runs.level(10, 5) == 0);
}

TEST_CASE("a run that nobody used for long is forgotten, the others stay", "[sink]") {
  Runs runs;
  runs.set_time(1000);
  runs.claim(7, "alice");
  runs.raise(7, 5, 10);
  runs.claim(8, "alice");
  runs.raise(8, 5, 10);
  runs.set_time(1000 + kRunAgeMaxMs - 1);
  runs.raise(7, 5, 11);
  runs.set_time(1000 + kRunAgeMaxMs);
  REQUIRE(runs.count() == 1);
  REQUIRE(runs.level(7, 5) == 11);
  REQUIRE(runs.may_use(8, "bob"));
  REQUIRE_FALSE(runs.may_use(7, "bob"));
  runs.set_time(1);  // The clock went back: nothing is forgotten for that.
  REQUIRE(runs.count() == 1);
}

TEST_CASE("runs from a checkpoint are what they were, in the order of their last use", "[sink]") {
  Runs runs;
  runs.set_time(1000);
  for (RunId run = 1; run <= kRunsPerUserMax; ++run) {
    runs.claim(run, "mallory");
    runs.raise(run, 5, run);
  }
  runs.raise(1, 6, 3);
  Runs loaded;
  SavePlace place;
  for (Bytes record; runs.save(place, record), !record.empty(); record.clear()) {
    REQUIRE(record.size() < kPartBytesMax + 64);
    REQUIRE(loaded.load(record));
  }
  REQUIRE(loaded.count() == kRunsPerUserMax);
  REQUIRE(loaded.level(1, 5) == 1);
  REQUIRE(loaded.level(1, 6) == 3);
  REQUIRE_FALSE(loaded.may_use(9, "bob"));
  loaded.set_time(1500);
  loaded.claim(UINT64_MAX, "mallory");
  REQUIRE(loaded.level(2, 5) == 0);  // The oldest made room, not the one used again.
  REQUIRE(loaded.level(1, 5) == 1);
  loaded.set_time(1000 + kRunAgeMaxMs);
  REQUIRE(loaded.count() == 1);
}

TEST_CASE("runs that a checkpoint numbers as others are, are all forgotten in time", "[sink]") {
  Runs other;
  other.claim(2, "mallory");
  SavePlace place;
  Bytes record;
  other.save(place, record);
  Runs runs;
  runs.set_time(1000);
  runs.claim(1, "mallory");
  runs.claim(2, "mallory");
  REQUIRE(runs.load(record));
  runs.raise(1, 5, 1);
  REQUIRE(runs.most_of_a_user() == 2);
  runs.set_time(1000 + kRunAgeMaxMs);
  REQUIRE(runs.count() == 0);
}
