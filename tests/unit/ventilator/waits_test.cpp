#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

TEST_CASE("a failed task waits before its next attempt, and others do not wait for it",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(2);
  rig.settle({}, {{1, {1, 1}, "no luck"}});
  REQUIRE(rig.core.explain().task(1)->state == "waiting");
  const auto until = *rig.core.explain().task(1)->waits_until;
  REQUIRE(until > kStart);
  REQUIRE(until <= kStart + kPauseFirst);
  REQUIRE(*rig.core.next_deadline() <= until);
  rig.credit(1, 1, 3);
  REQUIRE(rig.sent(1) == Seqs{2});
  rig.out.clear();
  rig.now = until - 1ms;
  rig.core.on_deadline(rig.now, rig.out);
  REQUIRE(rig.sent(1).empty());
  rig.now = until;
  rig.core.on_deadline(rig.now, rig.out);
  REQUIRE(rig.sent(1) == Seqs{1});
  REQUIRE(rig.last<SendTasks>().runs[0].attempt == 2);
}

TEST_CASE("a task that waits for its time is cancelled, or settled, like any other",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 2);
  rig.submit(2);
  rig.settle({}, {{1, {1, 1}, "no luck"}, {2, {1, 2}, "no luck"}});
  rig.step(CancelAsked{"client", 5, kOrigin, {{1, 1}}});
  REQUIRE(rig.last<PushVerdict>().state == TaskState::kCancelled);
  rig.settle({1, 2});
  rig.credit(1, 2, 4);
  rig.pass(1s);
  REQUIRE(rig.all<SendTasks>().empty());
}

TEST_CASE("a lost worker's task does not wait", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.silence(1);
  const auto read = rig.last<SendFollow>();
  rig.worker(2, 1);
  rig.step(SettledReceived{{read.request, kLog, 0, 0, 0, {}}, {}});
  REQUIRE(rig.sent(2) == Seqs{1});
}
