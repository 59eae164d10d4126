#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::Conditions;
using protocol::OnParentFailure;
using protocol::Parent;

namespace {

constexpr RunId kRun = 3;

Conditions keyed(std::string key) {
  Conditions conditions;
  conditions.key = std::move(key);
  return conditions;
}
Conditions after(const std::vector<Parent>& parents) {
  Conditions conditions;
  for (const auto& parent : parents) protocol::put_parent(conditions.parents, parent);
  return conditions;
}

Bytes conditional_groups(const std::vector<Conditions>& tasks, OnParentFailure on_failure) {
  protocol::TaskGroups groups;
  protocol::TaskClass task_class{"work"};
  task_class.on_parent_failure = static_cast<std::uint8_t>(on_failure);
  for (const auto& task : tasks)
    groups.add(task_class, "\x80", protocol::encode_conditions(task));
  return groups.take();
}

/// Gates in a core, with a worker that takes all it gets.
struct GateRig : Rig {
  explicit GateRig(Durable durable = fresh(), bool introduce = true)
      : Rig(std::move(durable), introduce) {
    if (introduce) worker(kRun, 1000);
  }
  void submit(const std::vector<Conditions>& tasks, OnParentFailure on_failure = {}) {
    step(Submitted{"client",
                   {7, ++requests, 0, "", static_cast<std::uint32_t>(tasks.size()),
                    conditional_groups(tasks, on_failure)},
                   "",
                   false,
                   clock().unix_ms});
  }
  std::string refusal() const { return std::get<protocol::Refused>(last<Reply>().message).reason; }
  Actions& end(Seq seq, bool is_done = true) {
    Settlement settlement;
    settlement.add({seq, seq}, is_done ? TaskState::kDone : TaskState::kFailed);
    const auto to = head + 1;
    SettledReceived event{{0, kLog, head, to, to, {}}, settlement};
    head = to;
    return step(std::move(event));
  }
  /// A second start, of which nobody says more than the journal has.
  static Durable restarted(const std::vector<Conditions>& tasks, OnParentFailure on_failure = {}) {
    auto durable = fresh();
    durable.start = 2;
    durable.last = tasks.size();
    const std::int64_t accepted = 0;
    REQUIRE(durable.load_groups(1, tasks.size(), conditional_groups(tasks, on_failure), {&accepted, 1}));
    return durable;
  }
  void late_worker() {
    hello(kRun);
    step(CreditReceived{peer(kRun), {2, kRun, 1, 0, 1000}});
  }
  std::uint64_t requests = 0;
};

}  // namespace

TEST_CASE("tasks of one key run one by one in their order, others are not held up", "[gates]") {
  GateRig rig;
  rig.submit({keyed("a"), keyed("a"), keyed("b"), keyed("a")});
  REQUIRE(rig.sent(kRun) == Seqs{1, 3});
  REQUIRE(rig.core.held() == 2);
  REQUIRE(rig.core.explain().task(2)->state == "waiting");
  REQUIRE(rig.core.explain().why(2, "") ==
          std::vector<Why>{{"key",
                            "it waits for the tasks of its key before it, of which it is the "
                            "turn of 000005-1",
                            0,
                            {1}}});
  rig.submit({keyed("a")});
  REQUIRE(rig.sent(kRun).empty());
  rig.end(1);
  REQUIRE(rig.sent(kRun) == Seqs{2});
  rig.step(CancelAsked{"client", 9, kOrigin, {{4, 4}}});  // In the middle of the line.
  rig.end(4, false);
  REQUIRE(rig.sent(kRun).empty());
  rig.end(2, false);  // However it ended.
  REQUIRE(rig.sent(kRun) == Seqs{5});
  rig.end(5);
  rig.submit({keyed("a")});
  REQUIRE(rig.sent(kRun) == Seqs{6});
}

TEST_CASE("a failed attempt keeps its key", "[gates]") {
  GateRig rig;
  rig.submit({keyed("a"), keyed("a")});
  rig.settle({}, {{1, {1, 1}, "exit 1"}});
  REQUIRE(rig.sent(kRun).empty());
  rig.pass(1s);
  REQUIRE(rig.sent(kRun) == Seqs{1});
}

TEST_CASE("a delay passes by the process's clock, a date by everybody's", "[gates]") {
  GateRig rig;
  Conditions delayed;
  delayed.delay_ms = 2000;
  Conditions dated;
  dated.not_before_unix_ms = 60'000;
  rig.submit({delayed, dated});
  REQUIRE(rig.sent(kRun).empty());
  REQUIRE(*rig.core.next_deadline() <= kStart + 2s);
  rig.pass(1900ms);
  REQUIRE(rig.sent(kRun).empty());
  rig.jump = -1h;
  rig.pass(200ms);
  REQUIRE(rig.sent(kRun) == Seqs{1});
  rig.jump = 58s;
  rig.pass(100ms);
  REQUIRE(rig.sent(kRun) == Seqs{2});
}

TEST_CASE("a task that has not begun when it expires ends, one that has goes on", "[gates]") {
  GateRig rig;
  Conditions expires;
  expires.expires_in_ms = 5000;
  auto waiting = expires;
  waiting.delay_ms = 10'000;
  rig.submit({expires, waiting});
  REQUIRE(rig.sent(kRun) == Seqs{1});
  rig.pass(6s);
  const auto verdicts = rig.all<PushVerdict>();
  REQUIRE(!verdicts.empty());
  REQUIRE(verdicts[0] ==
          PushVerdict{
              2, {}, 0, TaskState::kCancelled, false, {}, {"expired", "expired before it began"}});
  for (const auto& verdict : verdicts) REQUIRE(verdict.seq == 2);
  rig.end(2, false);
  rig.pass(10s);
  REQUIRE(rig.sent(kRun).empty());
}

TEST_CASE("a task that comes back after it expired ends, if it has not begun", "[gates]") {
  GateRig rig;
  Conditions expires;
  expires.expires_in_ms = 1000;
  rig.submit({expires});
  REQUIRE(rig.sent(kRun) == Seqs{1});
  rig.pass(2s);
  REQUIRE(rig.core.explain().task(1)->state == "running");
  rig.hello(kRun, 2, {}, 0, {1, kRun, 1});  // It never arrived.
  REQUIRE(rig.core.explain().task(1)->state == "ending");
  REQUIRE(rig.last<PushVerdict>().why == Why{"expired", "expired before it began"});
}

TEST_CASE("a task runs once all its parents are done", "[gates]") {
  GateRig rig;
  rig.submit({{}, {}, after({{{}, 2, 2}})});  // The first two are plain, the third joins them.
  REQUIRE(rig.sent(kRun) == Seqs{1, 2});
  rig.end(2);
  REQUIRE(rig.core.explain().why(3, protocol::encode_conditions(after({{{}, 2, 2}}))) ==
          std::vector<Why>{{"parents", "it waits for 1 task to end: 000005-1", 0, {1}}});
  rig.submit({after({{{kOrigin, 2}}})});  // Its parent is done.
  REQUIRE(rig.sent(kRun) == Seqs{4});
  rig.end(1);
  REQUIRE(rig.sent(kRun) == Seqs{3});
}

TEST_CASE("a parent that was not done ends its children, as they asked", "[gates]") {
  GateRig rig;
  rig.submit({{}, {}, after({{{}, 2}, {{}, 1}})}, OnParentFailure::kFail);
  rig.submit({after({{{kOrigin, 1}}})}, OnParentFailure::kSkip);
  rig.submit({after({{{kOrigin, 1}}})}, OnParentFailure::kRun);
  rig.end(1, false);
  REQUIRE(rig.sent(kRun) == Seqs{5});
  const auto verdicts = rig.all<PushVerdict>();
  REQUIRE(verdicts.size() == 2);
  REQUIRE(
      verdicts[0] ==
      PushVerdict{3,
                  {},
                  0,
                  TaskState::kFailed,
                  false,
                  {},
                  {"parent_failed", "000005-1, which it waits for, was not done: failed", 0, {1}}});
  REQUIRE(verdicts[1] ==
          PushVerdict{
              4,
              {},
              0,
              TaskState::kCancelled,
              false,
              {},
              {"skipped", "skipped: 000005-1, which it waits for, was not done: failed", 0, {1}}});
  rig.end(2);  // The other parent of one that ended already.
  REQUIRE(rig.sent(kRun).empty());
  rig.submit({after({{{kOrigin, 1}}})});
  REQUIRE(rig.all<PushVerdict>().back().seq == 6);
}

TEST_CASE("a task that runs whatever became of one parent waits for the others", "[gates]") {
  GateRig rig;
  rig.submit({{}, {}});
  rig.end(1, false);
  rig.submit({after({{{kOrigin, 1}}, {{kOrigin, 2}}})}, OnParentFailure::kRun);
  REQUIRE(rig.core.held() == 1);
  rig.end(2);
  REQUIRE(rig.sent(kRun) == Seqs{3});
}

TEST_CASE("parents that are not there are refused by name", "[gates]") {
  GateRig rig;
  rig.submit({{}, after({{{}, 2}})});
  REQUIRE(rig.refusal() == "task 2 of the submit: after: 2 tasks back is before its submit");
  rig.submit({after({{{kOrigin, 1}}})});
  REQUIRE(rig.refusal() == "task 1 of the submit: after 000005-1: no such task was accepted");
  rig.submit({after({{{kOrigin, UINT64_MAX}, 0, 2}})});
  REQUIRE(rig.refusal().ends_with("no such task was accepted"));
  rig.submit({after({{{9, 1}}})});
  REQUIRE(rig.refusal() == "task 1 of the submit: after 000009-1: not a task of this ventilator");
  REQUIRE(rig.core.accepted() == 0);
}

TEST_CASE("a restart finds what waits, and in what order", "[gates]") {
  Conditions delayed;
  delayed.delay_ms = 60'000;
  GateRig rig(GateRig::restarted({keyed("a"), keyed("a"), {}, after({{{}, 1}}), delayed}), false);
  rig.submit({keyed("a")});  // Before anything is known: behind those of before.
  rig.step(IntroducedReceived{2, kLog, 0, {}, {}});
  rig.late_worker();
  REQUIRE(rig.core.running() == 2);  // The first of the key, and the plain one.
  REQUIRE(rig.core.held() == 4);
  rig.end(1);
  REQUIRE(rig.sent(kRun) == Seqs{2});
  rig.end(3);
  REQUIRE(rig.sent(kRun) == Seqs{4});
  rig.end(2);
  REQUIRE(rig.sent(kRun) == Seqs{6});
  REQUIRE(rig.core.held() == 1);
  rig.pass(60s);
  REQUIRE(rig.core.held() == 0);
}

TEST_CASE("times pass for new tasks before a start knows the earlier ones", "[gates]") {
  Conditions delayed;
  delayed.delay_ms = 1'000;
  Conditions expiring;
  expiring.expires_in_ms = 500;
  GateRig rig(GateRig::restarted({delayed, expiring}), false);
  rig.submit({expiring});
  rig.pass(2s);
  REQUIRE(rig.core.explain().task(1)->state == "queued");
  REQUIRE(rig.core.explain().task(2)->state == "queued");  // An earlier start may have sent it.
  REQUIRE(rig.core.explain().task(3)->state == "ending");
  REQUIRE(*rig.core.next_deadline() > rig.now);  // Nothing is due again and again.
  rig.step(IntroducedReceived{2, kLog, 0, {}, {}});
  REQUIRE(rig.core.explain().task(2)->state == "ending");
}

TEST_CASE("how a parent ended is known again after a restart", "[gates]") {
  SeqRanges settled;
  settled.add(1, 2);
  protocol::NotDone not_done;
  not_done.add({2, 2}, TaskState::kDead);
  GateRig rig(GateRig::restarted({{}, {}, after({{{}, 2}}), after({{{}, 2}})}), false);
  rig.step(IntroducedReceived{2, kLog, 2, settled, not_done});
  const auto verdicts = rig.all<PushVerdict>();
  REQUIRE(verdicts.size() == 1);
  REQUIRE(verdicts[0].seq == 4);
  rig.late_worker();
  REQUIRE(rig.core.running() == 1);
}

TEST_CASE("a moment has one date, however late in a millisecond that is asked", "[gates]") {
  const Moment early{TimePoint(10'900us), 5};
  const Moment late{TimePoint(11'200us), 6};
  REQUIRE(early.unix_ms_at(TimePoint(12'500us)) == 7);
  REQUIRE(late.unix_ms_at(TimePoint(12'500us)) == 7);
  REQUIRE(late.unix_ms_at(TimePoint(9'100us)) == 4);
}
