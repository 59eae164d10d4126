#include <map>

#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

TEST_CASE("a worker says hello until it is welcomed, then opens its pipe", "[worker]") {
  Rig rig(Rig::config());
  REQUIRE(rig.pass(0s).size() == 1);
  REQUIRE(rig.all<SendHello>()[0].hello.hello == 1);
  rig.pass(1s);
  REQUIRE(rig.all<SendHello>()[0].hello.hello == 1);  // The same one, repeated.
  REQUIRE(rig.step(WelcomeReceived{{1, kRun, 1, kOrigin, "pipe", 1000}}) ==
          Actions{OpenPipe{"pipe"}});
  rig.step(PipeUp{});
  REQUIRE(rig.all<SendBeat>()[0].beat.limit == 1);
}

TEST_CASE("a welcome for another hello is not believed", "[worker]") {
  Rig rig(Rig::config());
  rig.pass(0s);
  REQUIRE(rig.step(WelcomeReceived{{1, kRun, 2, kOrigin, "pipe", 1000}}).empty());
}

TEST_CASE("prefetch one grants the next task only when the one before is finished", "[worker]") {
  Rig rig(Rig::config(1, 1));
  rig.link();
  rig.tasks(1, {1});
  REQUIRE(rig.started() == std::vector<Seq>{1});
  REQUIRE(rig.all<SendCredit>().empty());
  rig.finish(1);
  REQUIRE(rig.all<SendCredit>().at(0).credit.limit == 2);
}

TEST_CASE("as many tasks run as there are slots, in the order they came", "[worker]") {
  Rig rig(Rig::config(2, 2));
  rig.link();
  rig.tasks(1, {4, 5, 6, 7});
  REQUIRE(rig.started() == std::vector<Seq>{4, 5});
  rig.finish(5);
  REQUIRE(rig.started() == std::vector<Seq>{6});
}

TEST_CASE("a result is sent once, again until it is acknowledged, then forgotten", "[worker]") {
  Rig rig(Rig::config());
  rig.link();
  rig.tasks(1, {1});
  rig.finish(1);
  REQUIRE(rig.all<SendResults>().at(0).results.first == 1);
  REQUIRE(rig.held()[0].state == HeldState::kFinished);
  REQUIRE(rig.all<SendResults>().size() == 1);  // The timer sends it again.
  rig.step(AckReceived{{9, kRun, 1, kOrigin}});
  REQUIRE(rig.core.is_empty());
  rig.pass(5s);
  REQUIRE(rig.all<SendResults>().empty());
}

TEST_CASE("an acknowledgement beyond what was sent changes no more than what was sent",
          "[worker]") {
  Rig rig(Rig::config());
  rig.link();
  rig.step(AckReceived{{9, kRun, 1000, kOrigin}});
  rig.tasks(1, {1});
  rig.finish(1);
  REQUIRE(rig.all<SendResults>().at(0).results.first == 1);
}

TEST_CASE("another log gets again what the old one acknowledged in part", "[worker]") {
  Rig rig(Rig::config(2, 2));
  rig.link();
  rig.tasks(1, {1, 2});
  rig.finish(1);
  rig.finish(2);
  rig.step(AckReceived{{9, kRun, 1, kOrigin}});
  rig.step(AckReceived{{10, kRun, 0, kOrigin}});
  REQUIRE(rig.all<SendResults>().at(0).results.first == 2);
  REQUIRE(rig.all<SendResults>().at(0).results.floor == 1);
}

TEST_CASE("a gap in the pipe's numbers starts a new link that tells what arrived", "[worker]") {
  Rig rig(Rig::config(1, 5));
  rig.link();
  rig.tasks(1, {1});
  rig.tasks(3, {3});
  REQUIRE(rig.all<ClosePipe>().size() == 1);
  const auto hello = rig.all<SendHello>().at(0).hello;
  REQUIRE(hello.hello == 2);
  REQUIRE((hello.last_start == 1 && hello.last_hello == 1 && hello.received == 1));
  ByteReader payload(hello.payload);
  REQUIRE(protocol::read_runners(payload)->empty());
  REQUIRE(*protocol::decode_held(payload.rest()) ==
          std::vector<protocol::Held>{{{kOrigin, 1}, {1, 10}, HeldState::kStarted}});
}

TEST_CASE("a silent ventilator gets a new hello; running tasks go on", "[worker]") {
  Rig rig(Rig::config());
  rig.link();
  rig.tasks(1, {1});
  rig.pass(4s);
  REQUIRE(rig.all<SendHello>().empty());
  rig.pass(500ms);
  REQUIRE(rig.all<SendHello>().at(0).hello.hello == 2);
  REQUIRE(rig.all<KillTask>().empty());
}

TEST_CASE("results travel together while tasks wait for a slot, and not for long", "[worker]") {
  Rig rig(Rig::config(1, 4));
  rig.link();
  rig.tasks(1, {1, 2, 3, 4});
  rig.finish(1);
  REQUIRE(rig.all<SendResults>().empty());
  REQUIRE(*rig.core.next_deadline() <= rig.now + 5ms);
  rig.finish(2);
  REQUIRE(rig.all<SendResults>().empty());
  rig.pass(5ms);
  REQUIRE(rig.all<SendResults>().at(0).results.count == 2);
  rig.finish(3);  // The last one starts: nothing waits any more.
  REQUIRE(rig.all<SendResults>().at(0).results.count == 1);
}

TEST_CASE("the same task twice is never started twice, and the later lease counts", "[worker]") {
  Rig rig(Rig::config(2, 4));
  rig.link();
  rig.tasks(1, {1});
  Bytes payload;
  put_task(payload, {1, 99, 2, 1, {}, {}}, "work");
  rig.step(TasksReceived{{1, kRun, 1, kOrigin, 2, 1, payload}});
  REQUIRE(rig.started().empty());
  REQUIRE(rig.held()[0].lease == Lease{1, 99});
}

TEST_CASE("cancelling kills a started task, which reports; a waiting one never starts",
          "[worker]") {
  Rig rig(Rig::config(1, 2));
  rig.link();
  rig.tasks(1, {1, 2});
  REQUIRE(rig.order(OrderKind::kCancel, 1) == Actions{KillTask{{kOrigin, 1}}});
  rig.finish(1, TaskState::kFailed);
  REQUIRE(rig.result().state == TaskState::kCancelled);
  rig.order(OrderKind::kCancel, 2);
  rig.finish(2, TaskState::kFailed);
  REQUIRE(rig.result().state == TaskState::kCancelled);
}

TEST_CASE("a cancel that overtakes its task still cancels it", "[worker]") {
  Rig rig(Rig::config());
  rig.link();
  rig.order(OrderKind::kCancel, 1);
  rig.tasks(1, {1});
  REQUIRE(rig.all<StartTask>().at(0).is_cancelled);
}

TEST_CASE("a task that is done although it was cancelled is done", "[worker]") {
  Rig rig(Rig::config());
  rig.link();
  rig.tasks(1, {1});
  rig.order(OrderKind::kCancel, 1);
  rig.finish(1, TaskState::kDone);
  REQUIRE(rig.result().state == TaskState::kDone);
}

TEST_CASE("a dropped task leaves without a result", "[worker]") {
  Rig rig(Rig::config(1, 2));
  rig.link();
  rig.tasks(1, {1, 2});
  REQUIRE(rig.order(OrderKind::kDrop, 1)[0] == Action(KillTask{{kOrigin, 1}}));
  rig.order(OrderKind::kDrop, 2);
  rig.finish(1, TaskState::kFailed);
  REQUIRE(rig.all<SendResults>().empty());
  REQUIRE(rig.core.is_empty());
}

TEST_CASE("a recalled task is given back unless it has started, and leaves when released",
          "[worker]") {
  Rig rig(Rig::config(1, 2));
  rig.link();
  rig.tasks(1, {1, 2});
  rig.order(OrderKind::kRecall, 1);
  REQUIRE(rig.all<SendBeat>().empty());
  rig.order(OrderKind::kRecall, 2);
  REQUIRE(rig.all<SendBeat>().size() == 1);
  REQUIRE(rig.held()[1].state == HeldState::kReturned);
  rig.order(OrderKind::kReleased, 2);
  REQUIRE(rig.held().size() == 1);
}

TEST_CASE("once what it has is told to another link, orders of the last one change nothing",
          "[worker]") {
  Rig rig(Rig::config(1, 2));
  rig.link();
  rig.tasks(1, {1, 2});
  rig.step(HelloAgainReceived{kRun});
  REQUIRE(rig.all<SendHello>().size() == 1);
  rig.order(OrderKind::kRecall, 2);
  rig.step(WelcomeReceived{{2, kRun, 2, kOrigin, "pipe", 1000}});
  rig.step(PipeUp{});
  const auto held = protocol::decode_held(rig.all<SendBeat>().at(0).beat.payload);
  REQUIRE(held->at(1).state == HeldState::kWaiting);
}

TEST_CASE("a kind that the worker does not run is given back at once", "[worker]") {
  Rig rig(Rig::config());
  rig.link();
  rig.tasks(1, {1}, "unknown");
  REQUIRE(rig.started().empty());
  REQUIRE(protocol::decode_held(rig.all<SendBeat>().at(0).beat.payload)->at(0).state ==
          HeldState::kReturned);
}

TEST_CASE("a failure is final unless the task asks for a retry", "[worker]") {
  Rig rig(Rig::config(1, 1));
  rig.link();
  rig.tasks(1, {1}, "work", false);
  rig.finish(1, TaskState::kFailed);
  REQUIRE((rig.result().is_final && rig.result().state == TaskState::kFailed));
  rig.tasks(2, {2}, "work", true);
  rig.finish(2, TaskState::kFailed);
  REQUIRE((!rig.result().is_final && rig.result().state == TaskState::kFailed));
}

TEST_CASE("a lost attempt is tried again without being asked", "[worker]") {
  Rig rig(Rig::config(1, 1));
  rig.link();
  rig.tasks(1, {1});
  rig.step(TaskFinished{{kOrigin, 1}, {1, 10}, TaskState::kFailed, 0, 0, {}, "\xc0", true});
  REQUIRE((!rig.result().is_final && rig.result().state == TaskState::kFailed));
  REQUIRE(rig.out == Actions{rig.all<SendResults>().at(0), SendCredit{{1, kRun, 1, 1, 2}}});
}

TEST_CASE("inline tasks run as one batch, without a slot, and end in one message", "[worker]") {
  Rig rig(Rig::config(1, 8));
  rig.link();
  rig.tasks(1, {1, 2, 3}, "quick");
  REQUIRE(rig.batch() == std::vector<Seq>{1, 2, 3});
  REQUIRE(rig.held().at(2) == protocol::Held{{kOrigin, 3}, {1, 30}, HeldState::kStarted});
  rig.finish_batch(0);
  const auto sent = rig.all<SendResults>().at(0).results;
  REQUIRE((sent.first == 1 && sent.count == 3));
  REQUIRE(rig.result().id.seq == 1);
  REQUIRE(rig.held().at(2).state == HeldState::kFinished);
  rig.step(AckReceived{{9, kRun, 2, kOrigin}});  // In the middle of a message.
  REQUIRE(rig.held().size() == 1);
  rig.step(AckReceived{{9, kRun, 3, kOrigin}});
  REQUIRE(rig.core.is_empty());
}

TEST_CASE("results of a batch share a run only where they differ in nothing but their bodies",
          "[worker]") {
  auto config = Rig::config(1, 100);
  config.results_per_message = 8;
  Rig rig(config);
  rig.link();
  struct Sent {
    Seq seq;
    std::uint64_t lease;
    std::uint16_t attempt = 1;
    bool retry = false;
    std::string project = "";
    TaskState state = TaskState::kDone;
    std::int64_t submitted = 5;
  };
  const std::vector<Sent> sent{
      {1, 1},
      {2, 2},
      {3, 3},                                      // One run.
      {5, 4},                                      // A number is left out.
      {6, 6},                                      // A lease is.
      {7, 7, 2},                                   // Another attempt.
      {8, 8, 2, true},                             // May be tried again.
      {9, 9, 2, true, "p"},                        // Another message, another project.
      {10, 10, 2, true, "p", TaskState::kFailed},  // Another end.
      {11, 11, 2, true, "p", TaskState::kFailed},
      {12, 12, 2, true, "p", TaskState::kFailed, 6},  // Accepted with others.
  };
  Bytes payload;
  for (const auto& task : sent)
    put_task(payload, {task.seq, task.lease, task.attempt, 1, {}, {}, task.submitted}, "quick",
             task.retry, task.project);
  rig.step(
      TasksReceived{{1, kRun, 1, kOrigin, 1, static_cast<std::uint32_t>(sent.size()), payload}});
  BatchFinished finished{rig.all<StartBatch>().at(0).batch, 7, 1, {}, {}};
  for (const auto& task : sent) {
    finished.ends.push_back({task.state, 6});
    protocol::put_body(finished.bodies, {"\xcc\x0f", 2});
    finished.bodies.back() = static_cast<char>(task.seq);
  }
  rig.step(std::move(finished));
  std::vector<std::uint32_t> runs;
  std::size_t at = 0;
  for (const auto& message : rig.all<SendResults>()) {
    REQUIRE(message.results.first == at + 1);
    ByteReader reader(*message.records);
    while (const auto run = protocol::read_result_run(reader)) runs.push_back(run->count);
    protocol::ResultReader results(*message.records);
    for (; const auto result = results.next(); ++at) {
      const auto& task = sent.at(at);
      REQUIRE(result->id == TaskId{kOrigin, task.seq});
      REQUIRE(result->lease == Lease{1, task.lease});
      REQUIRE(result->attempt == task.attempt);
      REQUIRE(result->submitted_unix_ms == task.submitted);
      REQUIRE(result->project == task.project);
      REQUIRE(result->state == task.state);
      REQUIRE(result->is_final == (task.state == TaskState::kDone));
      REQUIRE(result->body.back() == static_cast<char>(task.seq));
    }
  }
  REQUIRE(at == sent.size());
  REQUIRE(runs == std::vector<std::uint32_t>{3, 1, 1, 1, 1, 1, 2, 1});
}

TEST_CASE("a task whose attempt was lost is told so in a slot, and its end when it was accepted",
          "[worker]") {
  auto config = Rig::config(1, 100);
  config.pid = 4711;
  Rig rig(config);
  rig.link();
  const std::string lost = "\x91\xa3why";
  Bytes payload;
  put_task(payload, {1, 10, 2, 1, {}, {}, 1234, lost}, "quick");
  rig.step(TasksReceived{{1, kRun, 1, kOrigin, 1, 1, payload}});
  REQUIRE(rig.all<StartBatch>().empty());
  REQUIRE(rig.all<StartTask>().at(0).lost == lost);
  rig.finish(1);
  rig.pass(1s);
  const auto sent = rig.all<SendResults>();
  REQUIRE(sent.size() == 1);
  REQUIRE(sent[0].results.pid == 4711);
  REQUIRE(protocol::ResultReader(*sent[0].records).next()->submitted_unix_ms == 1234);
}

TEST_CASE("a task of a batch that comes again is not run again, and the later lease counts",
          "[worker]") {
  Rig rig(Rig::config(1, 8));
  rig.link();
  const auto send_again = [&](std::uint64_t number, std::uint64_t lease) {
    Bytes payload;
    put_task(payload, {1, lease, 2, 1, {}, {}}, "quick");
    rig.step(TasksReceived{{1, kRun, 1, kOrigin, number, 1, payload}});
  };
  rig.tasks(1, {1, 2}, "quick");
  rig.batch();
  send_again(3, 99);
  REQUIRE(rig.all<StartBatch>().empty());
  rig.finish_batch(0);
  send_again(4, 100);
  REQUIRE(rig.all<StartBatch>().empty());
  REQUIRE(rig.held().at(0) == protocol::Held{{kOrigin, 1}, {1, 100}, HeldState::kFinished});
}

TEST_CASE("credit stops while the sink acknowledges nothing", "[worker]") {
  auto config = Rig::config(1, 4);
  config.results_max = 2;
  Rig rig(config);
  rig.link();
  rig.tasks(1, {1, 2}, "quick");
  rig.batch();
  rig.finish_batch(0);
  rig.tasks(3, {3, 4}, "quick");  // Granted before the sink fell silent.
  rig.batch();
  rig.finish_batch(1);
  REQUIRE(rig.all<SendCredit>().empty());
  rig.held();
  REQUIRE(rig.all<SendBeat>()[0].beat.limit == 4);  // Nothing beyond what was received.
  rig.step(AckReceived{{9, kRun, 4, kOrigin}});
  REQUIRE(rig.all<SendCredit>().at(0).credit.limit == 6);
}

TEST_CASE("short tasks are fetched far ahead, long ones one per slot", "[worker]") {
  auto config = Rig::config(1, 0);
  Rig rig(config);
  rig.link();
  rig.tasks(1, {1});
  rig.now += 1ms;
  rig.finish(1);
  const auto limit = rig.all<SendCredit>().at(0).credit.limit;
  REQUIRE(limit > 10);
  rig.tasks(2, {2});
  rig.now += 1s;
  rig.finish(2);
  rig.held();
  REQUIRE(rig.all<SendBeat>()[0].beat.limit == limit);  // No more is asked for in advance.
}

TEST_CASE("a drained worker gives back what waits, finishes what runs, says goodbye", "[worker]") {
  Rig rig(Rig::config(1, 2));
  rig.link();
  rig.tasks(1, {1, 2});
  rig.step(DrainAsked{});
  REQUIRE(rig.all<SendBeat>().size() == 1);
  REQUIRE(rig.all<SendBeat>()[0].beat.is_draining == 1);
  rig.order(OrderKind::kReleased, 2);
  rig.finish(1);
  REQUIRE(rig.all<Exit>().empty());
  rig.step(AckReceived{{9, kRun, 1, kOrigin}});
  REQUIRE(rig.all<SendGoodbye>().size() == 1);
  REQUIRE(rig.all<Exit>().size() == 1);
}

TEST_CASE("the next attempt of a failed task runs, also before the failure is acknowledged",
          "[worker]") {
  Rig rig(Rig::config(1, 2));
  rig.link();
  rig.tasks(1, {1}, "work", true);
  rig.finish(1, TaskState::kFailed);
  Bytes payload;
  put_task(payload, {1, 99, 2, 1, {}, {}}, "work", true);
  rig.step(TasksReceived{{1, kRun, 1, kOrigin, 2, 1, payload}});
  REQUIRE(rig.started() == std::vector<Seq>{1});
  rig.step(AckReceived{{9, kRun, 1, kOrigin}});
  REQUIRE_FALSE(rig.core.is_empty());  // The acknowledgement is the first attempt's.
  REQUIRE(rig.held() == std::vector<protocol::Held>{{{kOrigin, 1}, {1, 99}, HeldState::kStarted}});
}

TEST_CASE("hello again is obeyed at once: the pipe is closed, then comes the hello", "[worker]") {
  Rig rig(Rig::config());
  rig.link();
  rig.step(HelloAgainReceived{kRun});
  REQUIRE(std::holds_alternative<ClosePipe>(rig.out.at(0)));
  REQUIRE(std::get<SendHello>(rig.out.at(1)).hello.hello == 2);
}

TEST_CASE("long tasks that came on the credit of short ones are given back, with their pipe",
          "[worker]") {
  auto config = Rig::config(1, 0);
  config.inline_kinds = {};
  Rig rig(std::move(config));
  rig.link();
  rig.tasks(1, {1}, "quick");
  rig.finish(1);  // No time at all: thousands are worth holding.
  std::vector<Seq> long_ones;
  for (Seq seq = 2; seq <= 100; ++seq) long_ones.push_back(seq);
  rig.tasks(2, long_ones);
  REQUIRE(rig.all<SendHello>().empty());
  rig.now += 500ms;
  rig.finish(2);
  const auto hello = rig.all<SendHello>();
  REQUIRE(hello.size() == 1);
  std::map<HeldState, int> held;
  ByteReader payload(hello[0].hello.payload);
  REQUIRE(protocol::read_runners(payload)->empty());
  const auto told = protocol::decode_held(payload.rest());
  for (const auto& task : *told) ++held[task.state];
  REQUIRE(held == std::map<HeldState, int>{
                      {HeldState::kFinished, 2}, {HeldState::kWaiting, 1}, {HeldState::kReturned, 97}});
  REQUIRE(rig.started() == std::vector<Seq>{3});
}

TEST_CASE("one late task among short ones gives nothing back", "[worker]") {
  auto config = Rig::config(1, 0);
  config.inline_kinds = {};
  Rig rig(std::move(config));
  rig.link();
  rig.tasks(1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  rig.finish(1);
  rig.now += 100ms;
  rig.finish(2);
  REQUIRE(rig.all<SendHello>().empty());
}
