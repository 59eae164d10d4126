#include "common/protocol/not_done.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::protocol;

TEST_CASE("a task of no range was done", "[messages]") {
  NotDone not_done;
  not_done.add({1, 9}, TaskState::kDone);
  not_done.add({4, 5}, TaskState::kFailed);
  not_done.add({6, 6}, TaskState::kDead);
  REQUIRE(not_done.count() == 3);
  REQUIRE(not_done.range_count() == 2);
  REQUIRE(not_done.state_of(3) == TaskState::kDone);
  REQUIRE(not_done.state_of(5) == TaskState::kFailed);
  REQUIRE(not_done.state_of(6) == TaskState::kDead);
}

TEST_CASE("of a million scattered ends the oldest are taken for done", "[messages]") {
  NotDone not_done;
  const auto state_of = [](Seq seq) { return kNotDoneStates[seq % kNotDoneStates.size()]; };
  const Seq last = 2 * (kNotDoneRangesMax + 3);
  for (Seq seq = 2; seq <= last; seq += 2) not_done.add({seq, seq}, state_of(seq));
  REQUIRE(not_done.range_count() == kNotDoneRangesMax);
  for (const Seq seq : {2, 4, 6}) REQUIRE(not_done.state_of(seq) == TaskState::kDone);
  for (const Seq seq : {Seq{8}, Seq{10}, last}) REQUIRE(not_done.state_of(seq) == state_of(seq));
}
