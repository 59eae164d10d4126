#include "ventilator/core/last_attempts.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;
using Placed = LastAttempts::Placed;

namespace {

const TimePoint kNow = TimePoint(100s);

struct Waiting {
  Tasks tasks;
  Fleet fleet{Config{}, kNow};
  LastAttempts last;
  Waiting(RunId workers, Seq count) {
    for (RunId run = 1; run <= workers; ++run)
      fleet.take_levels(fleet.put(Worker("peer", "", {1, run, 1}, {}, kNow), {}, kNow), 0, 10);
    for (Seq seq = 1; seq <= count; ++seq) tasks.at(seq), last.put(seq);
  }
  Placed place(TimePoint now = kNow, bool others_wait = false) {
    return last.place(fleet, tasks, others_wait, now);
  }
};

}  // namespace

TEST_CASE("half of the workers at most get a last attempt, one each", "[ventilator]") {
  Waiting rig(4, 4);
  REQUIRE(rig.place() == Placed{{{1, 1}, {2, 2}}, {}});
  for (RunId run = 1; run <= 2; ++run) rig.fleet.find(run)->alone = run;
  REQUIRE(rig.place() == Placed{});
}

TEST_CASE("what every worker refused is passed over", "[ventilator]") {
  Waiting rig(2, 2);
  rig.tasks.find(1)->told().refused_by = {1, 2};
  REQUIRE(rig.place() == Placed{{{1, 2}}, {1}});
}

TEST_CASE("a worker is kept empty for a last attempt, a fifth of the time at most",
          "[ventilator]") {
  Waiting rig(1, 1);
  rig.tasks.lease(rig.tasks.at(9), 1, {1, 1});
  rig.fleet.find(1)->leases.adopt(9, {1, 1});  // It is busy.
  REQUIRE(rig.place() == Placed{});
  REQUIRE(rig.last.reserved() == 1);
  REQUIRE(rig.place(kNow + 1s) == Placed{});
  REQUIRE(rig.last.reserved() == std::nullopt);
  REQUIRE(rig.last.next_deadline() == kNow + 5s);
  rig.place(kNow + 5s);
  REQUIRE(rig.last.next_deadline() == kNow + 7s);  // Twice as long, this time.
}
