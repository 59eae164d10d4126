#include <map>

#include "common/base/text.hpp"
#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::TaskClass;

// Second copies of tasks that take much longer than others like them (ring rule V12).

namespace {

/// Tasks 1 to 4 at worker 1, each of the first three done after a second; and worker 2, which has
/// nothing to do.
struct CopiesRig : Rig {
  std::map<RunId, std::vector<Held>> holds;
  std::map<RunId, std::uint64_t> received;
  Actions all;  // That happened.

  explicit CopiesRig(std::uint8_t attempts = 0, std::uint8_t speculate = 1) {
    TaskClass task_class{"work", "", attempts, 1};
    task_class.speculate = speculate;
    Bytes groups;
    protocol::put_task_group(groups, {protocol::encode_class(task_class), 4, ""});
    worker(1, 4);
    step(Submitted{"client", {7, 1, 0, "", 4, groups}, "", false});
    received[1] = 4;
    holds[1] = {held(1, 1), held(2, 2), held(3, 3), held(4, 4)};
    live(1s);
    holds[1] = {held(4, 4)};
    settle({1, 2, 3});
    worker(2, 9);
    received[2] = 0;
  }
  /// Everybody says twice a second what it holds.
  void live(Duration time) {
    all.clear();
    const auto take = [&](const Actions& some) { all.insert(all.end(), some.begin(), some.end()); };
    for (; time > 0s; time -= 500ms) {
      take(pass(500ms));
      for (const auto& [run, its] : holds) take(beat(run, received[run], 9, its));
    }
    out = all;
  }
  /// Until worker 2 has a copy of task 4, lease 5.
  void copy() {
    holds[2] = {};
    live(4s);
    REQUIRE(sent(2) == Seqs{4});
    received[2] = 1;
    holds[2] = {held(4, 5)};
    live(500ms);
  }
  std::vector<OrderKind> ordered(RunId run) const {
    std::vector<OrderKind> kinds;
    for (const auto& orders : Rig::all<SendOrders>())
      if (orders.link.run == run)
        for (const auto& order : orders.orders) kinds.push_back(order.kind);
    return kinds;
  }
};

using Kinds = std::vector<OrderKind>;

}  // namespace

TEST_CASE("what takes far longer than others like it gets a copy where nothing else is to be done",
          "[ventilator]") {
  CopiesRig rig;
  rig.holds[2] = {};
  rig.live(1500ms);
  REQUIRE(rig.sent(2).empty());
  rig.live(1s);
  REQUIRE(rig.sent(2) == Seqs{4});
  const auto run = rig.last<SendTasks>().runs.at(0);
  REQUIRE((run.attempt == 2 && run.lease_number == 5));
  rig.received[2] = 1;
  rig.holds[2] = {Rig::held(4, 5)};
  rig.live(10s);  // One copy, and both go on.
  REQUIRE(rig.sent(2).empty());
  REQUIRE((rig.ordered(1).empty() && rig.ordered(2).empty()));
  REQUIRE(rig.core.running() == 1);
}

TEST_CASE("there is no copy of what did not ask, nor beyond the attempts", "[ventilator]") {
  CopiesRig plain(0, 0);
  plain.holds[2] = {};
  plain.live(10s);
  REQUIRE(plain.sent(2).empty());
  CopiesRig once(1);
  once.holds[2] = {};
  once.live(10s);
  REQUIRE(once.sent(2).empty());
}

TEST_CASE("the copy that ends first settles the task, and the other one is dropped",
          "[ventilator]") {
  CopiesRig rig;
  rig.copy();
  rig.settle({4});
  for (const RunId run : {1, 2}) {  // Both are asked for what they hold.
    const auto asked = rig.Rig::all<SendOrders>();
    REQUIRE(std::any_of(asked.begin(), asked.end(), [&](const SendOrders& orders) {
      return orders.link.run == run && orders.ask_beat;
    }));
  }
  rig.holds[2] = {Rig::held(4, 5, HeldState::kFinished)};
  rig.live(500ms);
  REQUIRE(rig.ordered(1) == Kinds{OrderKind::kDrop});
  REQUIRE(rig.ordered(2).empty());
  REQUIRE(rig.core.running() == 0);
}

TEST_CASE("a copy that fails leaves the other one to go on", "[ventilator]") {
  for (const std::uint64_t failing : {4, 5}) {
    CopiesRig rig;
    rig.copy();
    rig.settle({}, {{4, {1, failing}, "no luck"}});
    rig.holds[failing == 4 ? 1 : 2] = {Rig::held(4, failing, HeldState::kFinished)};
    rig.live(1s);
    REQUIRE((rig.sent(1).empty() && rig.sent(2).empty()));
    REQUIRE((rig.ordered(1).empty() && rig.ordered(2).empty()));
    REQUIRE(rig.core.explain().task(4)->worker == (failing == 4 ? "w2" : "w1"));
    REQUIRE(rig.core.explain().task(4)->reasons ==
            std::vector<std::string>{failing == 4
                                         ? "attempt 1: one of two copies: failed: no luck"
                                         : "attempt 2: one of two copies: failed: no luck"});
    rig.settle({}, {{4, {1, failing == 4 ? 5u : 4u}, "no luck"}});
    REQUIRE(rig.core.explain().task(4)->state == "waiting");  // Its next attempt is the third.
  }
}

TEST_CASE("the younger copy's failure is not the elder's, whose worker is lost and comes back",
          "[ventilator]") {
  CopiesRig rig;
  rig.copy();
  rig.settle({}, {{4, {1, 5}, "no luck"}});
  rig.step(GoodbyeReceived{Rig::peer(1), {1, 1, 1}});
  REQUIRE(rig.core.running() == 0);
  const auto read = rig.last<SendFollow>();
  rig.hello(1, 2, {Rig::held(4, 4)});
  REQUIRE(rig.core.running() == 1);
  rig.step(SettledReceived{{read.request, kLog, rig.head, rig.head, rig.head, {}}, {}});
  REQUIRE(rig.core.explain().task(4)->worker == "w1");
  REQUIRE(rig.core.explain().task(4)->reasons ==
          std::vector<std::string>{"attempt 2: one of two copies: failed: no luck"});
  rig.hello(2, 2, {Rig::held(4, 5, HeldState::kFinished)}, 1, {1, 2, 1});
  REQUIRE(rig.ordered(2).empty());
}

TEST_CASE("a copy whose worker is lost, or gives it back, leaves the other one to go on",
          "[ventilator]") {
  for (const RunId gone : {1, 2}) {
    CopiesRig rig;
    rig.copy();
    rig.step(GoodbyeReceived{Rig::peer(gone), {1, gone, 1}});
    rig.holds.erase(gone);
    rig.live(2s);
    REQUIRE((rig.sent(1).empty() && rig.sent(2).empty()));
    REQUIRE(rig.core.explain().task(4)->worker == (gone == 1 ? "w2" : "w1"));
    REQUIRE(rig.core.running() == 1);
    CopiesRig other;
    other.copy();
    const auto lease = gone == 1 ? 4u : 5u;
    other.holds[gone] = {Rig::held(4, lease, HeldState::kReturned)};
    other.live(500ms);
    REQUIRE(other.ordered(gone) == Kinds{OrderKind::kReleased});
    other.holds[gone] = {};
    REQUIRE(other.core.explain().task(4)->worker == (gone == 1 ? "w2" : "w1"));
  }
}

TEST_CASE("a copy that was lost is told in the log, once that has been read", "[ventilator]") {
  for (const RunId gone : {1, 2}) {
    CopiesRig rig;
    rig.copy();
    rig.step(GoodbyeReceived{Rig::peer(gone), {1, gone, 1}});
    REQUIRE(rig.Rig::all<PushVerdict>().empty());  // It may have ended before.
    rig.answer_read();
    const auto name = text("worker w", gone, ": its worker left");
    const auto attempt = static_cast<std::uint16_t>(gone);
    PushVerdict lost{4, {1, gone == 1 ? 4U : 5U}, attempt, protocol::TaskState::kFailed, true};
    lost.why.text = name;
    lost.is_copy = true;
    REQUIRE(rig.Rig::all<PushVerdict>() == std::vector<PushVerdict>{lost});
    REQUIRE(rig.core.explain().task(4)->reasons ==
            std::vector<std::string>{text("attempt ", gone, ": one of two copies: ", name)});
    rig.holds.erase(gone);
    rig.live(2s);
    REQUIRE(rig.Rig::all<PushVerdict>().empty());
  }
  CopiesRig settled;  // One of them ended it.
  settled.copy();
  settled.step(GoodbyeReceived{Rig::peer(1), {1, 1, 1}});
  const auto read = settled.last<SendFollow>();
  settled.settle({4});
  settled.step(
      SettledReceived{{read.request, kLog, settled.head, settled.head, settled.head, {}}, {}});
  REQUIRE(settled.Rig::all<PushVerdict>().empty());
}

TEST_CASE("a copy that never began uses up no attempt, and there may be another", "[ventilator]") {
  for (const bool has_arrived : {true, false}) {
    CopiesRig rig(2);
    rig.copy();
    if (has_arrived) {
      rig.beat(2, 1, 9, {Rig::held(4, 5, HeldState::kReturned)});
      REQUIRE(rig.ordered(2) == Kinds{OrderKind::kReleased});
    }
    const auto noted = rig.Rig::all<JournalNote>();
    rig.hello(2, 2, {}, has_arrived ? 1 : 0, {1, 2, 1});
    REQUIRE((has_arrived ? noted : rig.Rig::all<JournalNote>()) ==
            std::vector<JournalNote>{{1, 1, {{4, 4, 1}}, false}});
    REQUIRE(rig.core.explain().task(4)->attempt == 1);
    rig.beat(1, 4, 9, {Rig::held(4, 4)});
    rig.credit(2, 0, 9, 2);
    rig.pass(300ms);
    REQUIRE(rig.sent(2) == Seqs{4});
    REQUIRE(rig.last<SendTasks>().runs.at(0).attempt == 2);
  }
}

TEST_CASE("both copies stay through a new link of their workers", "[ventilator]") {
  CopiesRig rig;
  rig.copy();
  rig.hello(1, 2, {Rig::held(4, 4)}, 4, {1, 1, 1});
  rig.hello(2, 2, {Rig::held(4, 5)}, 1, {1, 2, 1});
  rig.beat(1, 0, 9, {Rig::held(4, 4)}, 2);
  REQUIRE(rig.ordered(1).empty());
  rig.beat(2, 0, 9, {Rig::held(4, 5)}, 2);
  REQUIRE(rig.ordered(2).empty());
  rig.beat(2, 0, 9, {}, 2);  // It has it no more: the other one goes on.
  rig.beat(1, 0, 9, {Rig::held(4, 4)}, 2);
  REQUIRE(rig.ordered(1).empty());
  REQUIRE(rig.core.explain().task(4)->worker == "w1");
}

TEST_CASE("there is no copy where a worker is kept empty for a last attempt", "[ventilator]") {
  CopiesRig rig;
  rig.step(GoodbyeReceived{Rig::peer(2), {1, 2, 1}});
  protocol::Hello hello;
  hello.run = 3;
  hello.hello = 1;
  hello.name = "w3";
  hello.slots = 2;
  hello.kinds = "work,own,risky";
  rig.step(HelloReceived{Rig::peer(3), hello, {}});
  rig.credit(3, 0, 1);
  rig.submit(1, 2, 0, "", "", "own");
  REQUIRE(rig.sent(3) == Seqs{5});
  rig.worker(4, 1, "risky");
  rig.submit(1, 3, 2, "", "", "risky");
  REQUIRE(rig.sent(4) == Seqs{6});
  for (int i = 0; i < 8; ++i) {
    rig.pass(500ms);
    rig.beat(1, 4, 4, {Rig::held(4, 4)});
    rig.beat(3, 1, 1, {Rig::held(5, 5)});
    rig.beat(4, 1, 1, {Rig::held(6, 6)});
  }
  rig.step(GoodbyeReceived{Rig::peer(4), {1, 4, 1}});
  rig.answer_read();  // Task 6 is lost: its last attempt waits for worker 3 to be empty.
  rig.credit(3, 1, 9);
  rig.pass(900ms);
  REQUIRE(rig.sent(3).empty());
  rig.pass(400ms);  // It was kept so long enough.
  REQUIRE(rig.sent(3) == Seqs{4});
}

TEST_CASE("what was cancelled or failed says nothing of how long others take", "[ventilator]") {
  for (const bool has_failed : {true, false}) {
    Rig rig;
    TaskClass task_class{"work"};
    task_class.speculate = 1;
    Bytes groups;
    protocol::put_task_group(groups, {protocol::encode_class(task_class), 4, ""});
    rig.worker(1, 4);
    rig.step(Submitted{"client", {7, 1, 0, "", 4, groups}, "", false});
    rig.pass(1s);
    if (has_failed)
      rig.settle({}, {{1, {1, 1}, "no luck"}, {2, {1, 2}, "no luck"}, {3, {1, 3}, "no luck"}});
    rig.step(CancelAsked{"client", 5, kOrigin, {{1, 3}}});
    rig.settle({1, 2, 3});
    rig.worker(2, 9);
    for (int i = 0; i < 10; ++i) {
      rig.beat(1, 4, 4, {Rig::held(4, 4)});
      rig.beat(2, 0, 9);
      rig.pass(500ms);
      REQUIRE(rig.sent(2).empty());
    }
  }
}

TEST_CASE("a cancel reaches both copies", "[ventilator]") {
  CopiesRig rig;
  rig.copy();
  rig.step(CancelAsked{"client", 5, kOrigin, {{4, 4}}});
  const auto answer = std::get<protocol::Answer>(rig.last<Reply>().message);
  REQUIRE((*protocol::Value::from_msgpack(answer.payload))["twice"].to_json() == "[[4,4]]");
  REQUIRE(rig.ordered(1) == Kinds{OrderKind::kCancel});
  REQUIRE(rig.ordered(2) == Kinds{OrderKind::kCancel});
}

TEST_CASE("after a restart the later of two copies stays", "[ventilator]") {
  auto durable = Rig::restarted(1);
  durable.notes.put(1, {2, {1, 5}, 2, 1});
  Rig rig(std::move(durable));
  rig.hello(1, 1, {Rig::held(1, 4)});
  rig.hello(2, 1, {Rig::held(1, 5)});
  REQUIRE(rig.core.explain().task(1)->worker == "w2");
  rig.beat(1, 0, 9, {Rig::held(1, 4)}, 1, 2);
  REQUIRE(rig.last<SendOrders>().orders ==
          std::vector<Order>{{OrderKind::kDrop, {kOrigin, 1}, {1, 4}}});
}

TEST_CASE("a task with a key has no second copy", "[ventilator]") {
  Rig rig;
  TaskClass task_class{"work"};
  task_class.speculate = 1;
  protocol::TaskGroups groups;
  groups.add(task_class, "\xc0", protocol::encode_conditions({.key = "account"}));
  rig.step(Submitted{"client", {7, 1, 0, "", 1, groups.take()}, "", false});
  REQUIRE(std::get<protocol::Refused>(rig.last<Reply>().message).reason ==
          "task 1 of the submit: speculate: goes without a key, of which one task runs at a time");
}

TEST_CASE("how long tasks take is known still when another of their class comes", "[ventilator]") {
  CopiesRig rig;
  rig.settle({4});
  rig.holds = {{1, {}}, {2, {}}};
  TaskClass task_class{"work", "", 0, 1};
  task_class.speculate = 1;
  Bytes groups;
  protocol::put_task_group(groups, {protocol::encode_class(task_class), 1, ""});
  rig.live(30s);
  rig.step(Submitted{"client", {7, 2, 0, "", 1, groups}, "", false});
  const RunId has_it = rig.sent(1) == Seqs{5} ? 1 : 2;
  const RunId other = 3 - has_it;
  REQUIRE(rig.sent(has_it) == Seqs{5});
  ++rig.received[has_it];
  rig.holds[has_it] = {Rig::held(5, 5)};
  rig.live(4s);
  REQUIRE(rig.sent(other) == Seqs{5});
}
