#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

std::string code_of(const Rig& rig, Seq seq) {
  const auto why = rig.core.explain().why(seq, "");
  REQUIRE(why.size() == 1);
  return why[0].code;
}
std::string text_of(const Rig& rig, Seq seq) {
  const auto why = rig.core.explain().why(seq, "");
  REQUIRE(why.size() == 1);
  return why[0].text;
}

}  // namespace

TEST_CASE("a task says what it waits for until it runs, and where it runs", "[explain]") {
  Rig rig;
  rig.submit(3);
  REQUIRE(text_of(rig, 1) == "no connected worker offers work");
  rig.worker(4, 1);
  REQUIRE(rig.core.explain().task(1)->state == "running");
  REQUIRE(rig.core.explain().why(1, "") ==
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
  const auto why = rig.core.explain().why(1, "");
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
  REQUIRE(rig.core.explain().task(2)->state == "cancelling");
  REQUIRE(text_of(rig, 2) == "it is over, cancelled, which the sink's log does not have yet");
  rig.settle({1, 2});
  REQUIRE(rig.core.explain().why(1, "").empty());
  REQUIRE(rig.core.explain().why(3, "").empty());
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

namespace {

/// The parts that are asked, without what moves them.
struct Parts {
  Config config;
  Durable durable = Rig::fresh();
  Tasks tasks;
  Gates gates{kOrigin, durable.projects, durable.classes};
  Queue queue{0};
  Limits limits{durable.wishes, kStart};
  Fleet fleet{config, kStart};
  Moment moment{kStart, 0};
  Explain explain{config, durable, tasks, gates, queue, limits, fleet, moment};

  ClassId accept(std::uint32_t count) {
    const auto first = durable.last + 1;
    const auto id = durable.classes.put(first, count, protocol::encode_class({"work", "photos"}));
    queue.extend(first, count, id, durable.classes.at(id));
    durable.last += count;
    return id;
  }
  std::string state(Seq seq) const { return explain.task(seq)->state; }
  using All = std::vector<Why>;
  All why(Seq seq) const { return explain.why(seq, ""); }
};

}  // namespace

TEST_CASE("each state of a task has a word, and a reason of its own", "[explain]") {
  Parts parts;
  const auto id = parts.accept(6);
  auto& tasks = parts.tasks;

  REQUIRE(parts.state(1) == "queued");
  REQUIRE(parts.why(1) == Parts::All{{"no_worker", "no connected worker offers work"}});

  tasks.lease(tasks.at(2), 7, {1, 1}, id);
  REQUIRE(parts.state(2) == "running");
  REQUIRE(parts.why(2) ==
          Parts::All{{"running",
                      "it is on a worker, since before the ventilator's last start, attempt 1 of at "
                      "most 5: a worker offers work and had room"}});
  tasks.suspect(tasks.at(2));
  REQUIRE(parts.state(2) == "running");
  REQUIRE(parts.why(2) ==
          Parts::All{{"suspect",
                      "the worker that had it may have lost it: the sink's log is asked whether it "
                      "had ended"}});

  tasks.at(3).add_reason("exit code 3");
  tasks.wait(tasks.at(3), kStart + 5s);
  REQUIRE(parts.state(3) == "waiting");
  REQUIRE(parts.explain.task(3)->waits_until == kStart + 5s);
  REQUIRE(parts.explain.task(3)->reasons == std::vector<std::string>{"exit code 3"});
  REQUIRE(parts.why(3) ==
          Parts::All{{"backoff",
                      "its next attempt is at 1970-01-01T00:00:05Z, after exit code 3", 5000}});

  tasks.note(tasks.at(4), id);
  REQUIRE(parts.state(4) == "queued");
  REQUIRE(parts.why(4) ==
          Parts::All{{"recovering",
                      "the ventilator has started anew: the worker that had it may come back"}});

  tasks.end(tasks.at(5), TaskState::kDead);
  REQUIRE(parts.state(5) == "ending");
  REQUIRE(parts.why(5) ==
          Parts::All{{"ending", "it is over, dead, which the sink's log does not have yet"}});

  parts.durable.settled.add(6, 6);
  for (const Seq none : {0, 6, 7}) {
    REQUIRE_FALSE(parts.explain.task(none));
    REQUIRE(parts.why(none).empty());
  }
}

TEST_CASE("a task that damage took, or one that waits for two things, says so", "[explain]") {
  Parts parts;
  parts.durable.last = 1;
  REQUIRE(parts.why(1) ==
          Parts::All{{"lost", "its task was lost when the journal was damaged"}});

  parts.accept(1);
  Released released;
  parts.gates.enter(2, 0, {.delay_ms = 5000}, {}, parts.moment, parts.durable.settled, released);
  REQUIRE(parts.state(2) == "waiting");
  const auto why = parts.why(2);
  REQUIRE(why.size() == 2);
  REQUIRE(why[0].code == "delay");
  REQUIRE(why[0].until_unix_ms == 5000);
  REQUIRE(why[1].code == "no_worker");
}
