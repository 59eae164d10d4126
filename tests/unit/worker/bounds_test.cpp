#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

// Tasks of one message, each with `bytes` of arguments.
Actions& send_large(Rig& rig, std::uint32_t hello, std::uint64_t first, Seq seq,
                    std::uint32_t count, std::size_t bytes, const std::string& kind = "work") {
  const std::string args(bytes, 'x');
  Bytes payload;
  for (std::uint32_t i = 0; i < count; ++i)
    put_task(payload, {seq + i, (seq + i) * 10, 1, 1, {}, {}}, kind, false, "", args);
  return rig.step(TasksReceived{{1, kRun, hello, kOrigin, first, count, payload}});
}

}  // namespace

TEST_CASE("a worker that is sent more than it may hold closes its pipe, and asks for what fits",
          "[worker]") {
  auto config = Rig::config(1, 100);
  config.held_bytes_max = 10'000;
  Rig rig(config);
  rig.link();
  REQUIRE(rig.all<SendBeat>().at(0).beat.limit == 100);  // Of whatever size.
  send_large(rig, 1, 1, 1, 2, 4000);
  REQUIRE(rig.all<ClosePipe>().empty());
  send_large(rig, 1, 3, 3, 1, 4000);
  REQUIRE(rig.all<ClosePipe>().size() == 1);
  REQUIRE(rig.all<SendHello>().at(0).hello.received == 3);  // All that came is kept.
  rig.step(WelcomeReceived{{1, kRun, 2, kOrigin, "pipe", 1000}});
  rig.step(PipeUp{});
  REQUIRE(rig.all<SendBeat>().at(0).beat.limit == 0);
  rig.finish(1);
  rig.pass(1s);
  REQUIRE(rig.all<SendBeat>().at(0).beat.limit == 0);  // 8,000 and another would be too much.
  rig.finish(2);
  rig.pass(1s);
  REQUIRE(rig.all<SendBeat>().at(0).beat.limit == 1);
}

TEST_CASE("a worker that met too many journals gives all back, and leaves", "[worker]") {
  auto config = Rig::config(1, 100);
  config.origins_max = 1;
  Rig rig(config);
  rig.link();
  rig.tasks(1, {1});
  REQUIRE(rig.started() == std::vector<Seq>{1});
  Bytes payload;
  put_task(payload, {7, 70, 1, 1, {}, {}}, "work");
  rig.step(TasksReceived{{1, kRun, 1, kOrigin + 1, 2, 1, payload}});
  REQUIRE(rig.all<ClosePipe>().size() == 1);
  REQUIRE(rig.all<SendHello>().at(0).hello.received == 1);
  rig.finish(1);
  rig.pass(1s);
  REQUIRE(rig.all<Exit>().empty());  // Its result is not acknowledged yet.
  rig.step(AckReceived{{9, kRun, 1, kOrigin}});
  rig.pass(2s);
  REQUIRE(rig.all<Exit>().size() == 1);
}

TEST_CASE("no task starts while too many bytes of results wait for the sink", "[worker]") {
  auto config = Rig::config(1, 4);
  config.result_bytes_max = 1000;
  Rig rig(config);
  rig.link();
  rig.tasks(1, {1, 2, 3});
  rig.step(TaskFinished{{kOrigin, 1}, {1, 10}, TaskState::kDone, 0, 0, {}, Bytes(2000, '\x01')});
  REQUIRE(rig.started().empty());
  rig.pass(5ms);
  REQUIRE(rig.all<SendResults>().size() == 1);
  rig.step(AckReceived{{9, kRun, 1, kOrigin}});
  REQUIRE(rig.started() == std::vector<Seq>{2});
}

TEST_CASE("results of inline tasks that nobody acknowledges stop the pipe that brings more",
          "[worker]") {
  auto config = Rig::config(1, 100);
  config.result_bytes_max = 1000;
  config.held_bytes_max = 10'000;
  Rig rig(config);
  rig.link();
  for (std::uint64_t number = 1;; ++number) {
    REQUIRE(number < 10);
    send_large(rig, 1, number, number, 1, 4000, "quick");
    if (!rig.all<ClosePipe>().empty()) break;
    BatchFinished finished{rig.all<StartBatch>().at(0).batch, 0, 1, {{TaskState::kDone, 4004}}, {}};
    protocol::put_body(finished.bodies, std::string(4000, 'x'));
    rig.step(std::move(finished));
  }
}
