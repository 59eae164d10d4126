#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

using Helds = std::vector<protocol::Held>;

/// Task 1 was started under lease 10 and dropped; it winds down slowly.
Rig dropped() {
  Rig rig(Rig::config(1, 1));
  rig.link();
  rig.tasks(1, {1});
  rig.order(OrderKind::kDrop, 1);
  REQUIRE(rig.all<KillTask>().size() == 1);
  return rig;
}

/// A task that may run twice, in a slot.
Rig speculated() {
  Rig rig(Rig::config(1, 1));
  rig.link();
  protocol::TaskClass task_class{"work"};
  task_class.speculate = 1;
  const auto encoded = protocol::encode_class(task_class);
  Bytes spec;
  protocol::put_task_spec(spec, {"\x80"});
  Bytes payload;
  protocol::put_task_run(payload, {1, 10, 1, 1, encoded, spec});
  rig.step(TasksReceived{{1, kRun, 1, kOrigin, 1, 1, payload}});
  REQUIRE(rig.started() == std::vector<Seq>{1});
  return rig;
}

void lease_again(Rig& rig) {
  Bytes payload;
  put_task(payload, {1, 30, 3, 1, {}, {}}, "work");
  rig.step(TasksReceived{{1, kRun, 1, kOrigin, 2, 1, payload}});
}

Helds held(std::uint64_t lease, HeldState state) { return {{{kOrigin, 1}, {1, lease}, state}}; }

}  // namespace

TEST_CASE("a dropped task is held until it has ended", "[worker]") {
  auto rig = dropped();
  REQUIRE(rig.held() == held(10, HeldState::kStarted));
  rig.order(OrderKind::kDrop, 1);
  REQUIRE(rig.all<KillTask>().empty());
  rig.finish(1);
  REQUIRE(rig.held().empty());
}

TEST_CASE("what became of a dropped copy is told, and is no end of its task", "[worker]") {
  auto rig = speculated();
  rig.order(OrderKind::kDrop, 1);
  REQUIRE(rig.all<KillTask>().size() == 1);
  rig.step(TaskFinished{{kOrigin, 1}, {1, 10}, TaskState::kCancelled, 0, 0, {}, "\x80"});
  REQUIRE(rig.result().is_copy);
  REQUIRE_FALSE(rig.result().is_final);
  REQUIRE(rig.result().state == TaskState::kCancelled);
  REQUIRE(rig.held() == held(10, HeldState::kFinished));
}

TEST_CASE("what may run twice says so with its end", "[worker]") {
  auto rig = speculated();
  rig.finish(1);
  REQUIRE((rig.result().may_have_copy && rig.result().is_final && !rig.result().is_copy));
}

TEST_CASE("a dropped task that is leased again starts once the old one has ended", "[worker]") {
  auto rig = dropped();
  lease_again(rig);
  REQUIRE(rig.started().empty());
  REQUIRE(rig.core.unfinished() == 2);
  REQUIRE(rig.held() == held(30, HeldState::kWaiting));
  rig.order(OrderKind::kDrop, 1);  // Of the old lease, once more.
  rig.finish(1);
  REQUIRE(rig.all<SendResults>().empty());
  REQUIRE(rig.all<StartTask>() ==
          std::vector<StartTask>{{{kOrigin, 1}, {1, 30}, 3, false, {"work", "", 0, 0}, "\x80"}});
  REQUIRE(rig.core.unfinished() == 1);
  rig.step(TaskFinished{{kOrigin, 1}, {1, 30}, TaskState::kDone, 0, 0, {}, "\xc0"});
  REQUIRE(rig.result().lease == Lease{1, 30});
  REQUIRE(rig.core.unfinished() == 0);
}

TEST_CASE("a dropped task that is leased again and dropped again is gone at its end", "[worker]") {
  auto rig = dropped();
  lease_again(rig);
  rig.step(OrdersReceived{{1, kRun, 1, 0, {}}, {{OrderKind::kDrop, {kOrigin, 1}, {1, 30}}}});
  rig.finish(1);
  REQUIRE(rig.started().empty());
  REQUIRE(rig.core.is_empty());
  REQUIRE(rig.core.unfinished() == 0);
}

TEST_CASE("a draining worker gives back what was leased again at the end of the old one",
          "[worker]") {
  auto rig = dropped();
  lease_again(rig);
  rig.step(DrainAsked{});
  rig.finish(1);
  REQUIRE(rig.started().empty());
  REQUIRE(rig.core.unfinished() == 0);
  REQUIRE(*protocol::decode_held(rig.all<SendBeat>().at(0).beat.payload) ==
          held(30, HeldState::kReturned));
}

namespace {

TaskFinished unbegun(Seq seq) {
  TaskFinished ended{{kOrigin, seq}, {1, seq * 10}, TaskState::kFailed, 0, 0, {}, "\xc0"};
  ended.is_unbegun = true;
  return ended;
}

}  // namespace

TEST_CASE("a task that nobody took waits again, and that was no attempt", "[worker]") {
  Rig rig(Rig::config(1, 1));
  rig.link();
  rig.tasks(1, {1, 2});
  REQUIRE(rig.started() == std::vector<Seq>{1});
  rig.step(SlotsChanged{0});
  rig.step(unbegun(1));
  REQUIRE(rig.all<SendResults>().empty());
  REQUIRE(rig.held().at(0).state == HeldState::kWaiting);
  rig.step(SlotsChanged{1});
  REQUIRE(rig.started() == std::vector<Seq>{2});
  rig.finish(2);
  REQUIRE(rig.started() == std::vector<Seq>{1});
  REQUIRE(rig.all<StartTask>().at(0).attempt == 1);
}

TEST_CASE("a task that nobody took is given back by who leaves", "[worker]") {
  Rig rig(Rig::config(1, 1));
  rig.link();
  rig.tasks(1, {1});
  rig.step(DrainAsked{});
  rig.step(unbegun(1));
  REQUIRE(rig.held() == held(10, HeldState::kReturned));
  rig.order(OrderKind::kReleased, 1);
  REQUIRE(rig.core.unfinished() == 0);
}

TEST_CASE("a task that nobody took and that was cancelled has ended", "[worker]") {
  Rig rig(Rig::config(1, 1));
  rig.link();
  rig.tasks(1, {1});
  rig.order(OrderKind::kCancel, 1);
  rig.step(unbegun(1));
  REQUIRE(rig.result().state == TaskState::kCancelled);
}
