#include "ventilator/core/last_attempts.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;
using Placed = std::vector<std::pair<RunId, Seq>>;

namespace {

const TimePoint kNow = TimePoint(100s);

struct Waiting {
  Tasks tasks;
  Fleet fleet{Config{}, kNow};
  TaskClasses classes;
  LastAttempts last;
  std::string held;
  std::size_t room = 1000;  // That the limits have.
  Waiting(RunId workers, Seq count) {
    for (RunId run = 1; run <= workers; ++run)
      fleet.take_levels(fleet.put(Worker("peer", "", {1, run, 1}, hello(), {}, kNow), {}, kNow), 0, 10);
    for (Seq seq = 1; seq <= count; ++seq) put(seq, "work");
  }
  static protocol::Hello hello() {
    protocol::Hello hello;
    hello.kinds = "work,more";
    return hello;
  }
  void put(Seq seq, const std::string& kind) {
    const auto id = classes.put(seq, 1, protocol::encode_class({kind}));
    tasks.at(seq), last.put(seq, id, classes.at(id));
  }
  Placed place(TimePoint now = kNow, bool others_wait = false) {
    Placed placed;
    last.place(
        fleet, tasks, [=](const Worker&) { return others_wait; },
        [this](const protocol::TaskClass& task_class) {
          return task_class.kind != held && room > 0;
        },
        [&](const Worker& worker, Seq seq) {
          placed.emplace_back(worker.link.run, seq);
          --room;
        },
        now);
    return placed;
  }
};

}  // namespace

TEST_CASE("half of the workers at most get a last attempt, one each", "[ventilator]") {
  Waiting rig(4, 4);
  REQUIRE(rig.place() == Placed{{1, 1}, {2, 2}});
  for (RunId run = 1; run <= 2; ++run) rig.fleet.find(run)->alone = run;
  REQUIRE(rig.place() == Placed{});
}

TEST_CASE("a limit that lets one go lets one last attempt go", "[ventilator]") {
  Waiting rig(4, 4);
  rig.room = 1;
  REQUIRE(rig.place() == Placed{{1, 1}});
}

TEST_CASE("what no worker runs is passed over, however much of it there is", "[ventilator]") {
  Waiting rig(2, 0);
  for (Seq seq = 1; seq <= 1000; ++seq) rig.put(seq, "rare");
  rig.put(1001, "more");
  REQUIRE(rig.place() == Placed{{1, 1001}});
  REQUIRE(rig.place() == Placed{});
  REQUIRE(rig.last.reserved() == std::nullopt);
}

TEST_CASE("a worker is kept empty no longer than something waits that fits it", "[ventilator]") {
  Waiting rig(1, 1);
  rig.fleet.find(1)->leases.adopt(9, {1, 1});  // It is busy.
  rig.put(2, "rare");
  rig.place();
  REQUIRE(rig.last.reserved() == 1);
  rig.tasks.settle(1);
  rig.place();
  REQUIRE(rig.last.reserved() == std::nullopt);
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

TEST_CASE("what a limit holds is passed over, and no worker is kept empty for it",
          "[ventilator]") {
  Waiting rig(2, 1);
  rig.put(2, "more");
  rig.held = "work";
  REQUIRE(rig.place() == Placed{{1, 2}});
  REQUIRE(rig.last.reserved() == std::nullopt);
  rig.fleet.find(1)->alone = 2;
  rig.fleet.find(1)->leases.adopt(2, {1, 1});
  rig.fleet.find(1)->release(1);
  rig.held = "";
  REQUIRE(rig.place() == Placed{{1, 1}});
}
