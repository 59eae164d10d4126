#include "ventilator/core/kept_room.hpp"

#include <catch2/catch.hpp>

#include "ventilator/core/fleet.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::TaskClass;

namespace {

constexpr TimePoint kBegin = TimePoint(100s);
constexpr ClassId kSmallId = 1;
constexpr ClassId kLargeId = 2;

TaskClass needing(const std::string& needs) {
  TaskClass task_class{"work"};
  task_class.needs = needs;
  return task_class;
}

/// Two workers with four processors each, and who looks for whom one of them is to be kept.
struct Parts {
  const TaskClass small = needing("cpus=1");
  const TaskClass large = needing("cpus=4");
  Fleet fleet{Config{}, kBegin};
  Placement placement;
  KeptRoom kept;

  Parts() {
    placement.add(kSmallId, small);
    placement.add(kLargeId, large);
    for (RunId run = 1; run <= 2; ++run) {
      protocol::Hello hello;
      hello.name = "w" + std::to_string(run);
      hello.kinds = "work";
      hello.resources = "cpus=4";
      fleet.put(Worker("peer", "key", {1, run, 1}, hello, {}, kBegin), {}, kBegin);
      lease(run);
    }
    fleet.find(1)->leases.adopt(7, {1, 1});  // So the second is the nearest.
  }
  void lease(RunId run) { placement.lease(run, kSmallId); }
  void release(RunId run) { placement.release(run, kSmallId); }
  void look(const TaskClass* first, Duration later) {
    kept.look(first, fleet, placement, kBegin + later);
  }
  /// Those that are kept for others than small tasks.
  std::vector<RunId> kept_from_small() const {
    std::vector<RunId> found;
    for (RunId run = 1; run <= 2; ++run)
      if (placement.is_kept(run, placement.of(small).needs)) found.push_back(run);
    return found;
  }
  std::vector<RunId> kept_at(const TaskClass* first, Duration later) {
    look(first, later);
    return kept_from_small();
  }
};
using Runs = std::vector<RunId>;

}  // namespace

TEST_CASE("who has found no room for long has the nearest worker kept, for some of the time",
          "[kept_room]") {
  Parts parts;
  const auto* large = &parts.large;
  REQUIRE(parts.kept_at(large, 0s) == Runs{});
  REQUIRE(parts.kept_at(large, KeptRoom::kPatience - 1ms) == Runs{});
  REQUIRE(parts.kept_at(large, 10s) == Runs{2});
  REQUIRE(parts.kept_at(large, 10999ms) == Runs{2});
  REQUIRE(parts.kept_at(large, 11s) == Runs{});  // In vain: others have four times as long.
  REQUIRE(parts.kept_at(large, 14999ms) == Runs{});
  REQUIRE(parts.kept_at(large, 15s) == Runs{2});  // For twice as long.
  REQUIRE(parts.kept_at(large, 16999ms) == Runs{2});
  REQUIRE(parts.kept_at(large, 17s) == Runs{});
}

TEST_CASE("a worker is kept no longer than who waits finds no room", "[kept_room]") {
  Parts parts;
  parts.look(&parts.large, 0s);
  REQUIRE(parts.kept_at(&parts.large, 10s) == Runs{2});
  parts.release(2);
  REQUIRE(parts.kept_at(&parts.large, 10100ms) == Runs{});
  parts.lease(2);
  REQUIRE(parts.kept_at(&parts.large, 10200ms) == Runs{});  // It waits anew.
  REQUIRE(parts.kept_at(&parts.large, 20199ms) == Runs{});
  REQUIRE(parts.kept_at(&parts.large, 20200ms) == Runs{2});
}

TEST_CASE("patience is that of who has the turn: another one's begins anew", "[kept_room]") {
  Parts parts;
  auto pinned = parts.large;
  pinned.place = "pin=w1";
  parts.look(&parts.large, 0s);
  REQUIRE(parts.kept_at(&pinned, 10s) == Runs{});
  REQUIRE(parts.kept_at(&pinned, 19999ms) == Runs{});
  REQUIRE(parts.kept_at(&pinned, 20s) == Runs{1});  // The only one that it may have.
  REQUIRE(parts.kept_at(&parts.large, 20100ms) == Runs{});
}

TEST_CASE("nothing is kept for nobody, nor for who needs nothing or finds room", "[kept_room]") {
  Parts parts;
  const TaskClass plain{"work"};
  for (const TaskClass* first :
       {static_cast<const TaskClass*>(nullptr), &plain, &std::as_const(parts.small)}) {
    parts.look(first, 0s);
    REQUIRE(parts.kept_at(first, 60s) == Runs{});
  }
  parts.look(&parts.large, 60s);
  REQUIRE(parts.kept_at(&parts.large, 70s) == Runs{2});
  REQUIRE(parts.kept_at(nullptr, 70100ms) == Runs{});
}
