#include "sink/core/origins.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;

TEST_CASE("an introduction is news once for each start", "[sink]") {
  Origins origins;
  REQUIRE_FALSE(origins.is_introduced(5));
  REQUIRE(*origins.introduce({5, 1, 100, 50, {}}));
  REQUIRE(origins.is_introduced(5));
  REQUIRE_FALSE(*origins.introduce({5, 1, 100, 60, {}}));
  REQUIRE(*origins.introduce({5, 2, 200, 60, {}}));
  REQUIRE_FALSE(origins.introduce({5, 1, 100, 60, {}}));
}

TEST_CASE("what a ventilator knew to be settled counts as settled", "[sink]") {
  Origins origins;
  SeqRanges settled;
  settled.add(1, 10);
  REQUIRE(origins.introduce({5, 1, 100, 50, settled}));
  REQUIRE(origins.settle(5, {8, 12}, TaskState::kDone) == 2);
  REQUIRE(origins.is_settled({5, 12}));
  REQUIRE_FALSE(origins.is_settled({5, 13}));
  REQUIRE_FALSE(origins.is_settled({6, 1}));
  REQUIRE(origins.settled_count() == 12);
}

TEST_CASE("a ventilator's level rises by its own word, and starts anew with it", "[sink]") {
  Origins origins;
  REQUIRE_FALSE(origins.announce(5, 100, 60));
  REQUIRE(origins.announced(5) == 0);
  REQUIRE(origins.introduce({5, 1, 100, 50, {}}));
  REQUIRE(origins.announced(5) == 50);
  REQUIRE_FALSE(origins.announce(5, 101, 60));
  REQUIRE(origins.announce(5, 100, 60));
  REQUIRE_FALSE(origins.announce(5, 100, 55));
  REQUIRE(origins.introduce({5, 1, 100, 55, {}}));  // An earlier message of the same start.
  REQUIRE(origins.announced(5) == 60);
  REQUIRE(origins.introduce({5, 2, 200, 55, {}}));
  REQUIRE(origins.announced(5) == 55);
}

TEST_CASE("how those settled tasks ended that were not done is known", "[sink]") {
  Origins origins;
  REQUIRE(origins.introduce({5, 1, 100, 50, {}}));
  REQUIRE(origins.settle(5, {1, 3}, TaskState::kDone) == 3);
  REQUIRE(origins.settle(5, {4, 4}, TaskState::kDead) == 1);
  REQUIRE(origins.settle(5, {5, 7}, TaskState::kCancelled) == 3);
  REQUIRE(origins.settle(5, {3, 3}, TaskState::kFailed) == 0);  // The first record has won.
  const auto& not_done = origins.not_done(5);
  REQUIRE(not_done.count() == 4);
  REQUIRE(not_done.state_of(3) == TaskState::kDone);
  REQUIRE(not_done.state_of(4) == TaskState::kDead);
  REQUIRE(not_done.state_of(7) == TaskState::kCancelled);
  REQUIRE(origins.most_not_done_ranges() == 2);
}
