#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

// Which worker may have which task.

namespace {

Actions& submit(Rig& rig, std::uint32_t count, const std::string& kind) {
  return rig.submit(count, 1 + rig.core.accepted(), 0, "", "", kind);
}

}  // namespace

TEST_CASE("a worker is sent nothing of a kind that it does not run", "[ventilator]") {
  Rig rig;
  rig.worker(1, 10, "echo");
  submit(rig, 1000, "exec");
  REQUIRE(rig.all<SendTasks>().empty());
  rig.worker(2, 4, "echo,exec");
  REQUIRE(rig.sent(2) == Seqs{1, 2, 3, 4});
  submit(rig, 2, "echo");
  REQUIRE(rig.sent(1) == Seqs{1001, 1002});
  REQUIRE(rig.credit(1, 2, 20).empty());  // It takes more, and is no part of the others' turn.
  rig.credit(2, 4, 6);
  REQUIRE(rig.sent(2) == Seqs{5, 6});
}

TEST_CASE("a task of a kind that nobody offers waits, says so, and holds up nothing",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 10, "echo");
  submit(rig, 3, "exec");
  submit(rig, 1, "echo");
  REQUIRE(rig.sent(1) == Seqs{4});
  REQUIRE(rig.core.explain().task(1)->state == "queued");
  REQUIRE(rig.core.explain().why(1, "") ==
          std::vector<Why>{{"no_worker", "no connected worker offers exec"}});
  rig.worker(2, 1, "exec");
  REQUIRE(rig.sent(2) == Seqs{1});
  REQUIRE(rig.core.explain().why(2, "")[0].code == "queued");
  rig.step(GoodbyeReceived{Rig::peer(2), {1, 2, 1}});
  REQUIRE(rig.core.explain().why(2, "") ==
          std::vector<Why>{{"no_worker", "no connected worker offers exec"}});
}

TEST_CASE("what there is is shared among those that can take it", "[ventilator]") {
  Rig rig;
  for (const RunId run : {1, 2}) rig.worker(run, 100, "exec");
  for (const RunId run : {3, 4, 5}) rig.worker(run, 100, "echo");
  submit(rig, 20, "exec");
  REQUIRE((rig.sent(1).size() == 10 && rig.sent(2).size() == 10));
}

TEST_CASE("a worker says its kinds anew with each hello", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1, "echo");
  submit(rig, 1, "exec");
  rig.hello(1, 2, {}, 0, {1, 1, 1}, "exec");
  rig.credit(1, 0, 1, 2);
  REQUIRE(rig.sent(1) == Seqs{1});
}

TEST_CASE("only who runs a kind makes others give back tasks of it", "[ventilator]") {
  Rig rig;
  rig.worker(1, 4, "echo,exec");
  submit(rig, 4, "exec");
  submit(rig, 5, "rare");  // In nobody's way.
  rig.worker(2, 1, "echo");
  const std::vector<Held> held{Rig::held(1, 1), Rig::held(2, 2, HeldState::kWaiting),
                               Rig::held(3, 3, HeldState::kWaiting),
                               Rig::held(4, 4, HeldState::kWaiting)};
  rig.beat(1, 4, 4, held);
  rig.pass(1s);
  REQUIRE(rig.all<SendOrders>().empty());
  rig.worker(3, 1, "exec");
  rig.beat(1, 4, 4, held);
  rig.pass(300ms);
  REQUIRE(rig.last<SendOrders>().orders.front().kind == OrderKind::kRecall);
}

TEST_CASE("who gives a task back unasked gets no more before its next hello", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  submit(rig, 3, "work");
  REQUIRE(rig.sent(1) == Seqs{1});
  rig.beat(1, 1, 9, {Rig::held(1, 1, HeldState::kReturned)});
  REQUIRE(rig.sent(1).empty());
  rig.credit(1, 1, 20);
  REQUIRE(rig.sent(1).empty());
  REQUIRE(rig.core.explain().task(1)->state == "queued");
  rig.beat(1, 1, 20);  // That it is to say hello may be lost.
  REQUIRE(rig.all<SendHelloAgain>().size() == 1);
  rig.step(BeatReceived{Rig::peer(1), {1, 1, 1, ++rig.beats, 1, 20, 1, {}}, {}});  // It leaves.
  REQUIRE(rig.all<SendHelloAgain>().empty());
  rig.hello(1, 2, {}, 1, {1, 1, 1});
  rig.credit(1, 0, 1, 2);
  REQUIRE(rig.sent(1) == Seqs{1});
}

TEST_CASE("a task that is given back again and again waits longer each time", "[ventilator]") {
  Rig rig;
  submit(rig, 1, "work");
  const auto give_back = [&](RunId run, Duration pause) {
    rig.worker(run, 1);
    REQUIRE(rig.sent(run) == Seqs{1});
    REQUIRE(rig.last<SendTasks>().runs[0].attempt == 1);
    rig.beat(run, 1, 9, {Rig::held(1, run, HeldState::kReturned)});
    const auto waits = rig.core.explain().task(1)->waits_until;
    REQUIRE(waits.value_or(rig.now) - rig.now == pause);
    rig.pass(pause);
  };
  give_back(1, 0s);
  give_back(2, 250ms);
  give_back(3, 500ms);
  give_back(4, 1s);
}
