#include <catch2/catch.hpp>

#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

/// A worker with one slot, which runs task 1 with a limit of two seconds.
struct Limited : Rig {
  explicit Limited(std::uint32_t slots = 1) : Rig(config(slots, 4)) {
    link();
    give(1, 1, 2'000);
  }
  Actions& give(std::uint64_t first, Seq seq, std::uint32_t timeout_ms) {
    const auto task_class = protocol::encode_class({.kind = "work", .timeout_ms = timeout_ms});
    Bytes spec;
    protocol::put_task_spec(spec, {"\x80"});
    Bytes payload;
    protocol::put_task_run(payload, {seq, seq * 10, 1, 1, task_class, spec});
    return step(TasksReceived{{1, kRun, 1, kOrigin, first, 1, payload}});
  }
};

using Kills = std::vector<KillTask>;

}  // namespace

TEST_CASE("what runs for longer than its class allows is ended, once", "[worker]") {
  Limited rig;
  REQUIRE(rig.core.next_deadline() <= rig.now + 2s);
  rig.pass(1999ms);
  REQUIRE(rig.all<KillTask>().empty());
  rig.pass(1ms);
  REQUIRE(rig.all<KillTask>() == Kills{{{kOrigin, 1}, true}});
  rig.pass(5s);
  REQUIRE(rig.all<KillTask>().empty());
  rig.finish(1, TaskState::kFailed);
  REQUIRE(rig.result().state == TaskState::kFailed);
}

TEST_CASE("the limit counts from when the task begins to run, not while it waits for a slot",
          "[worker]") {
  Limited rig;
  rig.give(2, 2, 2'000);
  rig.pass(1500ms);
  rig.finish(1);
  REQUIRE(rig.started() == std::vector<Seq>{2});
  rig.pass(1500ms);
  REQUIRE(rig.all<KillTask>().empty());
  rig.pass(500ms);
  REQUIRE(rig.all<KillTask>() == Kills{{{kOrigin, 2}, true}});
}

TEST_CASE("a task that ended in time, or was cancelled, meets no limit", "[worker]") {
  Limited rig(2);
  rig.give(2, 2, 2'000);
  rig.finish(1);
  REQUIRE(rig.order(OrderKind::kCancel, 2).at(0) == Action(KillTask{{kOrigin, 2}, false}));
  rig.pass(5s);
  REQUIRE(rig.all<KillTask>().empty());
}

TEST_CASE("a task that is cancelled after its time limit is cancelled", "[worker]") {
  Limited rig;
  rig.pass(2s);
  REQUIRE(rig.order(OrderKind::kCancel, 1).at(0) == Action(KillTask{{kOrigin, 1}, false}));
  rig.finish(1, TaskState::kFailed);
  REQUIRE(rig.result().state == TaskState::kCancelled);
}
