#include "common/protocol/value.hpp"
#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

TEST_CASE("a submit is journalled and answered with its first id", "[ventilator]") {
  Rig rig;
  const protocol::Submit submit{7, 1, 0, "", 3, Rig::groups(3)};
  REQUIRE(rig.submit(3) ==
          Actions{Reply{"client", protocol::Acceptance{1, 1, 3}}, JournalTasks{1, "", submit},
                  SendAnnounce{3}});
  rig.submit(2, 2);
  REQUIRE(rig.last<Reply>().message == decltype(Reply::message)(protocol::Acceptance{2, 4, 2}));
}

TEST_CASE("a repeated request gets the first answer and accepts nothing", "[ventilator]") {
  Rig rig;
  rig.submit(3);
  REQUIRE(rig.submit(3) == Actions{Reply{"client", protocol::Acceptance{1, 1, 3}}});
  REQUIRE(rig.core.accepted() == 3);
}

TEST_CASE("a key is accepted once; with other tasks it is refused", "[ventilator]") {
  Rig rig;
  rig.submit(2, 1, 0, "nightly", "hash");
  REQUIRE(rig.submit(2, 8, 0, "nightly", "hash") ==
          Actions{Reply{"client", protocol::Acceptance{8, 1, 2}}});
  rig.submit(2, 9, 0, "nightly", "other");
  REQUIRE(std::holds_alternative<protocol::Refused>(rig.last<Reply>().message));
}

TEST_CASE("a full disk refuses a submit, and says so", "[ventilator]") {
  Rig rig;
  rig.step(Submitted{"client", {7, 1, 0, "", 1, Rig::groups(1)}, "", true});
  REQUIRE(rig.out ==
          Actions{Reply{"client",
                        protocol::Refused{1, "storage full: the ventilator's disk has no room",
                                          "full"}}});
}

TEST_CASE("tasks go out only up to the limit that a worker granted", "[ventilator]") {
  Rig rig;
  rig.worker(1, 2);
  rig.submit(5);
  REQUIRE(rig.sent(1) == Seqs{1, 2});
  rig.credit(1, 2, 3);
  REQUIRE(rig.sent(1) == Seqs{3});
  rig.credit(1, 3, 2);  // A limit is never lowered, and an old one grants nothing.
  REQUIRE(rig.sent(1).empty());
}

TEST_CASE("a note is written before the tasks are sent", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  const std::vector<LeaseRun> tasks{{1, 1, 1, 1}};
  const auto is_announced = [](const Action& action) {
    return std::holds_alternative<SendAnnounce>(action);
  };
  REQUIRE(std::any_of(rig.out.begin(), rig.out.end() - 1, is_announced));  // Before they leave.
  REQUIRE(std::holds_alternative<SendTasks>(rig.out.back()));
  REQUIRE(rig.all<JournalNote>() == std::vector<JournalNote>{{1, 1, tasks, false}});
  REQUIRE(rig.all<SendTasks>() == std::vector<SendTasks>{{{1, 1, 1}, 1, tasks}});
}

TEST_CASE("what there is is shared among the workers that can take it", "[ventilator]") {
  Rig rig;
  rig.worker(1, 100);
  rig.worker(2, 100);
  rig.submit(10);
  REQUIRE(rig.sent(1).size() == 5);
  REQUIRE(rig.sent(2).size() == 5);
}

TEST_CASE("a silent worker is suspect, then lost; its task goes to another after a read",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.pass(3100ms);
  REQUIRE(rig.core.workers()[0].state == "suspect");
  REQUIRE(rig.now - rig.core.workers()[0].heard == 3100ms);
  rig.pass(500ms);
  REQUIRE(rig.core.workers().empty());
  const auto read = rig.last<SendFollow>();
  rig.worker(2, 1);
  REQUIRE(rig.sent(2).empty());  // Not before the log was read up to its head.
  rig.step(SettledReceived{{read.request, kLog, 0, 0, 0, {}}, {}});
  REQUIRE(rig.sent(2) == Seqs{1});
  REQUIRE(rig.last<SendTasks>().runs[0].attempt == 2);
  REQUIRE(protocol::Value::from_msgpack(rig.last<SendTasks>().runs[0].lost)->to_json() ==
          R"(["attempt 1: worker w1: it fell silent"])");
  REQUIRE(rig.last<JournalNote>().needs_sync);
}

TEST_CASE("a lost worker's task that the log has settled is not sent again", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.pass(4s);
  const auto read = rig.last<SendFollow>();
  rig.worker(2, 1);
  Settlement settlement;
  settlement.add({1, 1});
  rig.step(SettledReceived{{read.request, kLog, 0, 1, 1, {}}, settlement});
  REQUIRE(rig.sent(2).empty());
  REQUIRE(rig.core.settled().contains(1));
}

TEST_CASE("every other beat that asks for nothing is answered, one with news always",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  const auto answers = [&] {
    rig.pass(1s);
    rig.beat(1, 0, 1, {});
    return rig.all<SendOrders>().size();
  };
  const auto first = answers() + answers();
  REQUIRE(first == 1);
  REQUIRE(answers() + answers() == 1);
  rig.beat(1, 0, 1, {Rig::held(9, 1)});  // Nobody knows that task.
  REQUIRE(rig.last<SendOrders>().orders[0].kind == OrderKind::kDrop);
  rig.beat(1, 0, 1, {Rig::held(9, 1)});
  REQUIRE(rig.last<SendOrders>().orders[0].kind == OrderKind::kDrop);
}

TEST_CASE("a pipe that ended is a hint: an answer within the grace keeps the worker",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.step(PipeEnded{{1, 1, 1}});
  REQUIRE(rig.last<SendOrders>().ask_beat);
  rig.pass(100ms);
  rig.beat(1, 1, 1, {Rig::held(1, 1)});
  REQUIRE(rig.all<SendHelloAgain>().size() == 1);  // The pipe itself is gone.
  rig.pass(300ms);
  REQUIRE(rig.core.workers().size() == 1);
}

TEST_CASE("a pipe that ended without an answer loses the worker after the grace", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.step(PipeEnded{{1, 1, 1}});
  rig.pass(300ms);
  REQUIRE(rig.core.workers().empty());
}

TEST_CASE("messages of an old link change nothing and are answered with hello again",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(5);
  rig.hello(1, 2, {Rig::held(1, 1)}, 1, {1, 1, 1});
  REQUIRE(rig.credit(1, 1, 5, 1) == Actions{SendHelloAgain{Rig::peer(1), 1}});
}

TEST_CASE("a repeated hello gets the same welcome", "[ventilator]") {
  Rig rig;
  rig.hello(1);
  rig.hello(1);
  REQUIRE(rig.out == Actions{WelcomeWorker{Rig::peer(1), {1, 1, 1}}});
}

TEST_CASE("a worker that says hello again keeps what it holds", "[ventilator]") {
  Rig rig;
  rig.worker(1, 3);
  rig.submit(3);
  // It received two, holds one started and one finished; the third never arrived.
  rig.hello(1, 2, {Rig::held(1, 1), Rig::held(2, 2, HeldState::kFinished)}, 2, {1, 1, 1});
  rig.credit(1, 0, 2, 2);
  REQUIRE(rig.sent(1) == Seqs{3});
  REQUIRE(rig.last<SendTasks>().runs[0].attempt == 1);  // It never arrived: no attempt counted.
}

TEST_CASE("a received task that its worker no longer holds is judged after a read",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.beat(1, 1, 1, {});
  REQUIRE(rig.all<SendFollow>().size() == 1);
  rig.answer_read();
  REQUIRE(rig.core.explain().task(1)->state == "queued");
  rig.credit(1, 1, 2);
  REQUIRE(rig.sent(1) == Seqs{1});
}

TEST_CASE("a task still in the pipe is not missed", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.beat(1, 0, 1, {});
  REQUIRE(rig.all<SendFollow>().empty());
}

TEST_CASE("a pipe that swallows is noticed within three beats", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.beat(1, 0, 1);  // The send itself lies between this beat and the one before.
  for (int i = 0; i < 2; ++i) {
    rig.beat(1, 0, 1);
    REQUIRE(rig.all<SendHelloAgain>().empty());
  }
  rig.beat(1, 0, 1);
  REQUIRE(rig.all<SendHelloAgain>().size() == 1);
}

TEST_CASE("a settled task that a zombie still runs is dropped; a finished one is left alone",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 2);
  rig.submit(2);
  rig.settle({1, 2});
  rig.beat(1, 2, 2, {Rig::held(1, 1), Rig::held(2, 2, HeldState::kFinished)});
  REQUIRE(rig.last<SendOrders>().orders ==
          std::vector<Order>{{OrderKind::kDrop, {kOrigin, 1}, {1, 1}}});
}

TEST_CASE("a task that two workers hold stays with the later lease", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.pass(4s);
  rig.answer_read();
  rig.worker(2, 1);
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.hello(1, 2, {Rig::held(1, 1)}, 1, {1, 1, 1});  // The zombie wakes.
  REQUIRE(rig.last<SendOrders>().orders ==
          std::vector<Order>{{OrderKind::kDrop, {kOrigin, 1}, {1, 1}}});
}

TEST_CASE("attempts used up make a dead letter with its reasons, pushed until it is read",
          "[ventilator]") {
  Rig rig;
  rig.submit(1, 1, 2);
  for (RunId run = 1; run <= 2; ++run) {
    rig.worker(run, 1);
    REQUIRE(rig.sent(run) == Seqs{1});
    rig.pass(4s);
    rig.answer_read();
  }
  const auto verdict = rig.last<PushVerdict>();
  REQUIRE(verdict.state == TaskState::kDead);
  REQUIRE(verdict.attempt == 2);
  REQUIRE(verdict.reasons == std::vector<std::string>{"attempt 1: worker w1: it fell silent",
                                                      "attempt 2: worker w2: it fell silent"});
  rig.pass(1100ms);
  REQUIRE(rig.all<PushVerdict>().size() == 1);
  rig.settle({1});
  rig.pass(3s);
  REQUIRE(rig.all<PushVerdict>().empty());
}

TEST_CASE("the last attempt runs alone in its worker", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1, 1, 2);
  rig.pass(4s);
  rig.answer_read();
  rig.worker(2, 10);
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.submit(3, 2);
  REQUIRE(rig.sent(2).empty());
  rig.settle({1});
  REQUIRE(rig.sent(2) == Seqs{2, 3, 4});
}

TEST_CASE("a failure that is not final is retried with the next attempt", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.settle({}, {{1, {1, 1}, "no luck"}});
  rig.pass(300ms);
  rig.credit(1, 1, 2);
  REQUIRE(rig.last<SendTasks>().runs[0].attempt == 2);
  REQUIRE(rig.core.explain().task(1)->reasons == std::vector<std::string>{"attempt 1: failed: no luck"});
}

TEST_CASE("a cancelled queued task never runs, and is pushed as cancelled", "[ventilator]") {
  Rig rig;
  rig.submit(2);
  rig.step(CancelAsked{"client", 5, kOrigin, {{1, 1}}});
  REQUIRE(rig.all<JournalCancel>() == std::vector<JournalCancel>{{1}});
  REQUIRE(rig.last<PushVerdict>().state == TaskState::kCancelled);
  rig.worker(1, 5);
  REQUIRE(rig.sent(1) == Seqs{2});
}

TEST_CASE("one message cancels many tasks, and tells apart those that it cannot", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(4);
  rig.settle({1});
  rig.step(CancelAsked{"client", 5, kOrigin, {{1, 3}, {9, 10}}});
  const auto answer = std::get<protocol::Answer>(rig.last<Reply>().message);
  REQUIRE(protocol::Value::from_msgpack(answer.payload)->to_json() ==
          R"({"cancelling":[[2,3]],"settled":[[1,1]],"unknown":[[9,10]],"twice":[]})");
  REQUIRE(rig.all<JournalCancel>() == std::vector<JournalCancel>{{2}, {3}});
  rig.step(CancelAsked{"client", 6, kOrigin, {{2, 3}}});
  REQUIRE(rig.all<JournalCancel>().empty());
}

TEST_CASE("cancelling a running task orders its worker, again with every beat", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  const std::vector<Order> cancel{{OrderKind::kCancel, {kOrigin, 1}, {1, 1}}};
  rig.step(CancelAsked{"client", 5, kOrigin, {{1, 1}}});
  REQUIRE(rig.last<SendOrders>().orders == cancel);
  rig.beat(1, 1, 1, {Rig::held(1, 1)});
  REQUIRE(rig.last<SendOrders>().orders == cancel);
}

TEST_CASE("a cancelled task whose worker is lost ends as cancelled, unconfirmed", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.step(CancelAsked{"client", 5, kOrigin, {{1, 1}}});
  rig.pass(4s);
  rig.answer_read();
  REQUIRE(rig.last<PushVerdict>().state == TaskState::kCancelled);
  REQUIRE(rig.last<PushVerdict>().is_unconfirmed);
}

TEST_CASE("a returned task costs no attempt and goes to another worker", "[ventilator]") {
  Rig rig;
  rig.worker(1, 5);
  rig.submit(1);
  rig.beat(1, 1, 5, {Rig::held(1, 1, HeldState::kReturned)});
  REQUIRE(rig.last<SendOrders>().orders ==
          std::vector<Order>{{OrderKind::kReleased, {kOrigin, 1}, {1, 1}}});
  REQUIRE(rig.sent(1).empty());
  rig.worker(2, 1);
  REQUIRE(rig.sent(2) == Seqs{1});
  REQUIRE(rig.last<SendTasks>().runs[0].attempt == 1);
}

TEST_CASE("an idle worker makes a full one give back what it only stores", "[ventilator]") {
  Rig rig;
  rig.worker(1, 4);
  rig.submit(4);
  const auto asked_back = [&](std::uint64_t room) {
    rig.worker(2, room);
    rig.beat(1, 4, 4,
             {Rig::held(1, 1), Rig::held(2, 2, HeldState::kWaiting),
              Rig::held(3, 3, HeldState::kWaiting), Rig::held(4, 4, HeldState::kWaiting)});
    rig.pass(300ms);
    return rig.all<SendOrders>()[0].orders;
  };
  const Order last{OrderKind::kRecall, {kOrigin, 4}, {1, 4}};
  SECTION("half of it") {
    const Order other{OrderKind::kRecall, {kOrigin, 3}, {1, 3}};
    REQUIRE(asked_back(9) == std::vector<Order>{last, other});
  }
  SECTION("no more than it takes") { REQUIRE(asked_back(1) == std::vector<Order>{last}); }
}

TEST_CASE("a worker with a free slot beside a long task gets what another one only stores",
          "[ventilator]") {
  Rig rig;
  protocol::Hello two_slots;
  two_slots.run = 2;
  two_slots.hello = 1;
  two_slots.slots = 2;
  two_slots.kinds = "work";
  rig.step(HelloReceived{Rig::peer(2), two_slots, {}});
  rig.credit(2, 0, 1);
  rig.submit(1);
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.worker(1, 4);
  rig.submit(3, 2);
  REQUIRE(rig.sent(1) == Seqs{2, 3, 4});
  rig.beat(2, 1, 2, {Rig::held(1, 1)});
  rig.beat(1, 3, 4,
           {Rig::held(2, 2), Rig::held(3, 3, HeldState::kWaiting),
            Rig::held(4, 4, HeldState::kWaiting)});
  rig.pass(300ms);
  REQUIRE(rig.all<SendOrders>()[0].orders ==
          std::vector<Order>{{OrderKind::kRecall, {kOrigin, 4}, {1, 4}}});
}

TEST_CASE("a failed attempt that its worker still reports is not taken for a running one",
          "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1);
  rig.settle({}, {{1, {1, 1}, "no luck"}});
  // The sink's acknowledgement is still on its way: the worker holds the finished attempt.
  rig.beat(1, 1, 1, {Rig::held(1, 1, HeldState::kFinished)});
  REQUIRE(rig.core.explain().task(1)->state == "waiting");
  rig.pass(300ms);
  rig.credit(1, 1, 2);
  REQUIRE(rig.sent(1) == Seqs{1});
  REQUIRE(rig.last<SendTasks>().runs[0].attempt == 2);
}

TEST_CASE("a task that was asked back may be its worker's again", "[ventilator]") {
  Rig rig;
  rig.worker(1, 2);
  rig.submit(2);
  rig.worker(2, 1);
  rig.beat(1, 2, 2, {Rig::held(1, 1), Rig::held(2, 2, HeldState::kWaiting)});
  rig.pass(300ms);
  REQUIRE(rig.last<SendOrders>().orders[0].kind == OrderKind::kRecall);
  rig.step(GoodbyeReceived{Rig::peer(2), {1, 2, 1}});
  rig.beat(1, 2, 3, {Rig::held(1, 1), Rig::held(2, 2, HeldState::kReturned)});
  REQUIRE(rig.sent(1) == Seqs{2});
}

TEST_CASE("a worker that gives a task back with its hello goes on", "[ventilator]") {
  Rig rig;
  rig.worker(1, 5);
  rig.submit(1);
  rig.hello(1, 2, {Rig::held(1, 1, HeldState::kReturned)}, 1, {1, 1, 1});
  REQUIRE(rig.last<SendOrders>().orders ==
          std::vector<Order>{{OrderKind::kReleased, {kOrigin, 1}, {1, 1}}});
  rig.credit(1, 0, 1, 2);
  REQUIRE(rig.sent(1) == Seqs{1});
}

TEST_CASE("a late copy of a confirmed submit is not taken for news", "[ventilator]") {
  Rig rig;
  rig.submit(1, 1);
  rig.step(Submitted{"client", {7, 2, 1, "", 1, Rig::groups(1)}, "", false});
  REQUIRE(rig.submit(1, 1).empty());
  REQUIRE(rig.core.accepted() == 2);
}

TEST_CASE("of a worker people are told where it runs, what ended there, and that it leaves",
          "[ventilator]") {
  Rig rig;
  rig.submit(2);
  protocol::Hello hello;
  hello.run = 1;
  hello.hello = 1;
  hello.name = "w1";
  hello.kinds = "work";
  hello.host = "far";
  hello.version = "0.1.0";
  hello.prefetch = 4;
  hello.restarts = 2;
  rig.step(HelloReceived{Rig::peer(1), hello, {}});
  rig.credit(1, 0, 2);
  rig.settle({1});
  const auto worker = rig.core.workers().at(0);
  REQUIRE(worker.program == WorkerView::Program{"far", "0.1.0", 4, 2});
  REQUIRE(worker.ended == 1);
  REQUIRE(worker.state == "ready");
  rig.step(BeatReceived{Rig::peer(1), {1, 1, 1, 1, 2, 2, 1, {}}, {}});
  REQUIRE(rig.core.workers().at(0).state == "draining");
  REQUIRE(rig.core.workers_left(rig.now) == 0);
  rig.step(GoodbyeReceived{Rig::peer(1), {1, 1, 1}});
  REQUIRE(rig.core.workers_left(rig.now) == 1);
  REQUIRE(rig.core.workers_left(rig.now + 25h) == 0);
}
