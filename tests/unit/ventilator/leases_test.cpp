#include "ventilator/core/leases.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;
using protocol::Held;
using protocol::HeldState;

namespace {

constexpr Origin kOrigin = 5;
constexpr RunId kRun = 3;

/// Tasks 1 … count leased to one worker under 11, 12 …, as pipe numbers 1, 2 …
struct Leased {
  Tasks tasks;
  Leases leases{kRun};
  explicit Leased(std::uint32_t count) {
    for (Seq seq = 1; seq <= count; ++seq) tasks.lease(tasks.at(seq), kRun, {1, 10 + seq});
    leases.send(1, 1, {{1, 11, 1, count}}, tasks);
  }
};

Held held(Seq seq, HeldState state = HeldState::kStarted) {
  return {{kOrigin, seq}, {1, 10 + seq}, state};
}

}  // namespace

TEST_CASE("received and no longer held is suspect; what is still in the pipe is not",
          "[ventilator]") {
  Leased rig(4);
  REQUIRE(rig.leases.take_missing(3, {held(2)}, kOrigin, rig.tasks) ==
          LeasedTasks{{1, {1, 11}}, {3, {1, 13}}});
  REQUIRE(rig.tasks.find(1)->is(Task::State::kSuspect));
  REQUIRE(rig.tasks.leased() == 2);
  rig.leases.release(2);
  REQUIRE(rig.leases.outstanding() == 2);
  REQUIRE(rig.leases.take_missing(3, {held(2)}, kOrigin, rig.tasks).empty());
}

TEST_CASE("a new link keeps what is held, and hears what never arrived", "[ventilator]") {
  Leased rig(4);
  Leases next(kRun);
  REQUIRE(next.take_over(rig.leases, 3, {held(1)}, kOrigin, rig.tasks) ==
          Leases::Left{{4}, {{2, {1, 12}}, {3, {1, 13}}}});
  REQUIRE(next.outstanding() == 1);
  REQUIRE(next.take_all(rig.tasks) == LeasedTasks{{1, {1, 11}}});
}

TEST_CASE("of a link that the worker does not know, all that is not held is suspect",
          "[ventilator]") {
  Leased rig(2);
  Leases next(kRun);
  REQUIRE(next.take_over(rig.leases, std::nullopt, {held(1)}, kOrigin, rig.tasks) ==
          Leases::Left{{}, {{2, {1, 12}}}});
}

TEST_CASE("a task that stands twice counts once", "[ventilator]") {
  Leased rig(2);
  rig.tasks.suspect(*rig.tasks.find(1));
  rig.leases.release(1);
  rig.tasks.adopt(*rig.tasks.find(1), kRun, {1, 11});
  rig.leases.adopt(1, {1, 11});
  Leases next(kRun);
  REQUIRE(next.take_over(rig.leases, 2, {held(1), held(2)}, kOrigin, rig.tasks) == Leases::Left{});
  REQUIRE(next.outstanding() == 2);
  REQUIRE(next.take_all(rig.tasks).size() == 2);
}

TEST_CASE("a hello that holds hundreds of thousands of tasks costs one stretch", "[ventilator]") {
  Tasks tasks;
  Leases leases(kRun);
  for (Seq seq = 1; seq <= 300000; ++seq) {
    tasks.adopt(tasks.at(seq), kRun, {1, seq});
    leases.adopt(seq, {1, seq});
  }
  REQUIRE(leases.stretches() == 1);
  REQUIRE(leases.take_all(tasks).size() == 300000);
}

TEST_CASE("what becomes of a task that is said to be held", "[ventilator]") {
  Tasks tasks;
  const auto judged = [&](HeldState state, const Task* task, RunId run = kRun, bool over = false) {
    return judge(held(1, state), task, run, over);
  };
  REQUIRE(judged(HeldState::kStarted, nullptr) == Holding::kAdopted);
  REQUIRE(judged(HeldState::kStarted, nullptr, kRun, true) == Holding::kDrop);
  REQUIRE(judged(HeldState::kFinished, nullptr, kRun, true) == Holding::kFinished);
  REQUIRE(judged(HeldState::kReturned, nullptr, kRun, true) == Holding::kReleased);
  auto& task = tasks.at(1);
  tasks.lease(task, kRun, {1, 11});
  REQUIRE(judged(HeldState::kWaiting, &task) == Holding::kKept);
  REQUIRE(judged(HeldState::kReturned, &task) == Holding::kReturned);
  REQUIRE(judged(HeldState::kReturned, &task, kRun + 1) == Holding::kReleased);
  REQUIRE(judged(HeldState::kStarted, &task, kRun + 1) == Holding::kAdopted);
  tasks.adopt(task, kRun, {1, 12});
  REQUIRE(judged(HeldState::kStarted, &task) == Holding::kDrop);
  REQUIRE(judged(HeldState::kFinished, &task) == Holding::kFinished);
  task.told().failed = {1, 11};
  REQUIRE(judged(HeldState::kStarted, &task) == Holding::kFinished);
  task.story.reset();
  tasks.end(task, protocol::TaskState::kDead);
  REQUIRE(judged(HeldState::kStarted, &task) == Holding::kDrop);
  task.is_cancelled = true;
  REQUIRE(judged(HeldState::kStarted, &task) == Holding::kCancel);
}
