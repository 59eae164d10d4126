#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

std::string code_of(const Rig& rig, Seq seq) {
  const auto why = rig.core.why(seq, "");
  REQUIRE(why.size() == 1);
  return why[0].code;
}
std::string text_of(const Rig& rig, Seq seq) {
  const auto why = rig.core.why(seq, "");
  REQUIRE(why.size() == 1);
  return why[0].text;
}

}  // namespace

TEST_CASE("a task says what it waits for until it runs, and where it runs", "[explain]") {
  Rig rig;
  rig.submit(3);
  REQUIRE(text_of(rig, 1) == "no connected worker offers work");
  rig.worker(4, 1);
  REQUIRE(rig.core.task(1)->state == "running");
  REQUIRE(rig.core.why(1, "") ==
          std::vector<Why>{{"running",
                            "it is on w4 since 1970-01-01T00:00:00Z, attempt 1 of at "
                            "most 5: w4 offers work and had room"}});
  REQUIRE(code_of(rig, 2) == "queued");
  REQUIRE(text_of(rig, 2) ==
          "it is the next one; of 1 worker that offers work, none have a free slot");
  REQUIRE(text_of(rig, 3) ==
          "it is behind 1 task; of 1 worker that offers work, none have a free slot");
  rig.beat(4, 1, 1, {Rig::held(1, 1, HeldState::kWaiting)});
  REQUIRE_THAT(text_of(rig, 1), Catch::StartsWith("it waits for a slot of w4 since "));
  REQUIRE(code_of(rig, 1) == "stored");
}

TEST_CASE("a task that waits for its next attempt says until when and why", "[explain]") {
  Rig rig;
  rig.worker(1, 10);
  rig.submit(1);
  rig.settle({}, {{1, {1, 1}, "exit code 3"}});
  const auto why = rig.core.why(1, "");
  REQUIRE(why.size() == 1);
  REQUIRE(why[0].code == "backoff");
  REQUIRE(why[0].until_unix_ms > 0);
  REQUIRE_THAT(why[0].text, Catch::StartsWith("its next attempt is at 1970-01-01T00:00:00.") &&
                                Catch::EndsWith(", after attempt 1: failed: exit code 3"));
}

TEST_CASE("a cancelled task says who was told, or that its end is on its way", "[explain]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(2);
  rig.step(CancelAsked{"client", 9, kOrigin, {{1, 2}}});
  REQUIRE(code_of(rig, 1) == "cancelling");
  REQUIRE_THAT(text_of(rig, 1), Catch::StartsWith("it was told to end, on w1, where it is since"));
  REQUIRE(rig.core.task(2)->state == "cancelling");
  REQUIRE(text_of(rig, 2) == "it is over, cancelled, which the sink's log does not have yet");
  rig.settle({1, 2});
  REQUIRE(rig.core.why(1, "").empty());
  REQUIRE(rig.core.why(3, "").empty());
}

TEST_CASE("a task whose worker fell silent says that the log is asked", "[explain]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1, 1, 2);
  rig.silence(1);
  REQUIRE(code_of(rig, 1) == "suspect");
  rig.answer_read();
  REQUIRE(code_of(rig, 1) == "no_worker");
  rig.worker(2, 10, "work");
  REQUIRE(code_of(rig, 1) == "running");
  REQUIRE_THAT(
      text_of(rig, 1),
      Catch::EndsWith("attempt 2 of at most 2: alone there, for a worker was lost that had "
                      "it"));
}

TEST_CASE("after a restart a task says that it is not known yet what it did", "[explain]") {
  Rig rig(Rig::restarted(2), false);
  REQUIRE(code_of(rig, 2) == "recovering");
  rig.step(IntroducedReceived{2, kLog, 0, {}, {}});
  rig.pass(200ms);
  REQUIRE(code_of(rig, 2) == "no_worker");
}

TEST_CASE("tasks before one are those of its kind that go first", "[explain]") {
  Rig rig;
  rig.worker(1, 1, "work,other");
  rig.submit(3, 1);
  rig.submit(5, 2, 0, "", "", "other");
  rig.submit(2, 3, 7);  // Another class of the same kind.
  REQUIRE_THAT(text_of(rig, 10), Catch::StartsWith("it is behind 3 tasks;"));
  REQUIRE_THAT(text_of(rig, 8), Catch::StartsWith("it is behind 4 tasks;"));
}
