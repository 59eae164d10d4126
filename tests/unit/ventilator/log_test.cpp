#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

TEST_CASE("a gap in the news is read from the log", "[ventilator]") {
  Rig rig;
  rig.worker(1, 5);
  rig.submit(3);
  Settlement settlement;
  settlement.add({3, 3});
  rig.step(SettledReceived{{0, kLog, 2, 3, 3, {}}, settlement});
  REQUIRE_FALSE(rig.core.settled().contains(3));
  REQUIRE(rig.last<SendFollow>().offset == 0);
}

TEST_CASE("another log is introduced to before anything of it is believed", "[ventilator]") {
  Rig rig;
  rig.step(SettledReceived{{0, kLog + 1, 0, 0, 0, {}}, {}});
  REQUIRE(rig.all<SendIntroduce>().size() == 1);
  REQUIRE_FALSE(rig.core.is_introduced());
}

TEST_CASE("a log that knows later tasks than the journal stops the ventilator", "[ventilator]") {
  Rig rig(Rig::fresh(), false);
  SeqRanges settled;
  settled.add(1, 10);
  rig.step(IntroducedReceived{rig.core.start(), kLog, 10, settled, {}});
  REQUIRE_THAT(rig.last<Stop>().reason, Catch::Contains("the journal went back"));
}

TEST_CASE("after a restart: new tasks go at once, old ones after the introduction, noted ones wait",
          "[ventilator]") {
  auto durable = Rig::restarted(3);
  durable.notes.put(1, {1, {1, 1}, 1});
  Rig rig(durable, false);
  rig.hello(9);
  rig.step(CreditReceived{Rig::peer(9), {2, 9, 1, 0, 10}});
  rig.submit(1, 50);
  REQUIRE(rig.sent(9) == Seqs{4});
  SeqRanges settled;
  settled.add(2, 2);
  rig.step(IntroducedReceived{rig.core.start(), kLog, 0, settled, {}});
  REQUIRE(rig.sent(9) == Seqs{3});
  rig.pass(2100ms);  // Its worker did not come back.
  rig.answer_read();
  REQUIRE(rig.sent(9) == Seqs{1});
  REQUIRE(rig.last<SendTasks>().runs[0].attempt == 2);
}

TEST_CASE("after a restart a worker that comes back keeps its running task", "[ventilator]") {
  auto durable = Rig::restarted(1);
  durable.notes.put(1, {1, {1, 1}, 1});
  Rig rig(durable);
  rig.hello(1, 2, {Rig::held(1, 1)}, 1, {1, 1, 1});
  rig.pass(2500ms);
  REQUIRE(rig.core.explain().task(1)->state == "running");
  REQUIRE(rig.all<SendTasks>().empty());
}

TEST_CASE("after a power cut every old task waits for its worker", "[ventilator]") {
  auto durable = Rig::restarted(1);
  durable.is_power_cut = true;
  Rig rig(durable);
  rig.hello(9);
  rig.step(CreditReceived{Rig::peer(9), {2, 9, 1, 0, 10}});
  REQUIRE(rig.sent(9).empty());
  rig.pass(2100ms);
  REQUIRE(rig.sent(9) == Seqs{1});
}

TEST_CASE("a loop that comes late does not take its own lateness for silence", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.now += 30s;
  rig.out.clear();
  rig.core.on_deadline(rig.now, rig.out);
  REQUIRE(rig.core.workers().size() == 1);
}

TEST_CASE("a snapshot is enough to go on from", "[ventilator]") {
  Rig rig;
  rig.worker(1, 5);
  rig.submit(4, 1, 9);
  rig.settle({2});
  rig.step(CancelAsked{"client", 5, kOrigin, {{1, 1}}});
  Durable durable;
  SavePlace place;
  while (const auto record = rig.core.save(place))
    REQUIRE(durable.load(record->part, record->payload));
  REQUIRE(durable.settled.ranges() == std::map<Seq, Seq>{{2, 2}});
  REQUIRE(durable.notes.runs() == std::map<Seq, Note>{{1, {1, {1, 1}, 1}}, {3, {1, {1, 3}, 1, 2}}});
  REQUIRE(durable.cancelled == std::set<Seq>{1});
  REQUIRE(*durable.answers.find(7, 1) == Answered{1, 4});
}

TEST_CASE("a settled range looks only at the classes that it touches", "[ventilator]") {
  constexpr Seq kSubmits = 100000;  // A walk of all of them for each would take minutes.
  Rig rig;
  for (Seq request = 1; request <= kSubmits; ++request) rig.submit(1, request, 3 + request % 2);
  for (auto seq = kSubmits; seq >= 1; --seq) rig.settle({seq});
  for (const Seq seq : {Seq{1}, kSubmits}) REQUIRE(rig.core.class_of(seq) == nullptr);
}

TEST_CASE("a lost task waits until the log was read up to the head that was told", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.silence(1);
  const auto first = rig.last<SendFollow>();
  rig.step(SettledReceived{{first.request, kLog, 0, 2, 5, {}}, {}});  // Only a part of it.
  REQUIRE(rig.core.explain().task(1)->state == "running");
  const auto second = rig.last<SendFollow>();
  REQUIRE(second.offset == 2);
  rig.step(SettledReceived{{second.request, kLog, 2, 5, 5, {}}, {}});
  REQUIRE(rig.core.explain().task(1)->state == "queued");
}

TEST_CASE("a failure that is read before its worker came back after a restart counts",
          "[ventilator]") {
  auto durable = Rig::restarted(1);
  durable.notes.put(1, {9, {1, 1}, 5});
  Rig rig(durable);
  rig.settle({}, {{1, {1, 1}, "no luck"}});
  REQUIRE(rig.last<PushVerdict>().reasons ==
          std::vector<std::string>{"attempt 5: failed: no luck"});
}
