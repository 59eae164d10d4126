#include "ventilator/core/queue.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;

namespace {

struct Waiting {
  Tasks tasks;
  SeqRanges settled;
  std::vector<RunId> workers{1, 2};
  Queue queue;
  explicit Waiting(Seq recovered, Seq last) : queue(recovered) { queue.extend(last); }
  std::optional<Stretch> next(std::uint64_t most, RunId run = 1) {
    return queue.next(run, workers, most, tasks, settled);
  }
};

}  // namespace

TEST_CASE("what was never dispatched goes in stretches, without what is settled", "[ventilator]") {
  Waiting rig(0, 10);
  rig.settled.add(2, 3);
  REQUIRE(rig.next(5) == Stretch{1, 1});
  REQUIRE(rig.next(5) == Stretch{4, 5});
  REQUIRE(rig.next(5) == Stretch{9, 2});
  REQUIRE(rig.next(5) == std::nullopt);
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("tasks of earlier starts wait until they are opened", "[ventilator]") {
  Waiting rig(3, 4);
  REQUIRE(rig.next(5) == Stretch{4, 1});
  REQUIRE(rig.next(5) == std::nullopt);
  rig.queue.open_recovered();
  REQUIRE(rig.queue.size() == 3);
  REQUIRE(rig.next(5) == Stretch{1, 3});
}

TEST_CASE("nothing waits where what is settled reaches into the tasks of this start",
          "[ventilator]") {
  Waiting rig(3, 5);
  rig.queue.open_recovered();
  rig.settled.add(1, 5);
  REQUIRE(rig.next(5) == std::nullopt);
  REQUIRE(rig.queue.is_empty());
}

TEST_CASE("what came back goes first, but not to who refused it", "[ventilator]") {
  Waiting rig(0, 3);
  rig.tasks.at(1).told().refused_by = {1};
  rig.tasks.at(2);
  rig.queue.put(1, false);
  rig.queue.put(2, false);
  REQUIRE(rig.next(5) == Stretch{2, 1});
  REQUIRE(rig.next(5, 2) == Stretch{1, 1});
}

TEST_CASE("what every worker refused is parked until another one is there", "[ventilator]") {
  Waiting rig(0, 1);
  rig.tasks.at(1).told().refused_by = {1, 2};
  rig.queue.put(1, false);
  REQUIRE(rig.next(5) == std::nullopt);
  REQUIRE(rig.tasks.find(1)->is(Task::State::kParked));
  REQUIRE(rig.queue.take_parked(rig.tasks) == std::vector<Seq>{1});
  REQUIRE(rig.queue.take_parked(rig.tasks).empty());
}
