#include "tests/unit/worker/rig.hpp"

using namespace eole;
using namespace eole::worker;

namespace {

std::vector<protocol::RunnerOffer> offers(const std::string& problem) {
  return {{"./odd", problem, {{"odd"}}}};
}

Config with_runner() {
  auto config = Rig::config(1, 5);
  config.runners = offers("");
  return config;
}

std::string told_problem(const protocol::Hello& hello) {
  ByteReader payload(hello.payload);
  return protocol::read_runners(payload)->at(0).problem;
}

}  // namespace

TEST_CASE("what waits for a runner that cannot start is given back with the hello that says so",
          "[worker]") {
  Rig rig(with_runner());
  rig.link();
  rig.tasks(1, {1, 2});
  rig.tasks(3, {3, 4}, "odd");
  rig.step(RunnersChanged{offers("it is gone")});
  REQUIRE(rig.all<ClosePipe>().size() == 1);
  const auto hello = rig.all<SendHello>().at(0).hello;
  REQUIRE(hello.hello == 2);
  REQUIRE(told_problem(hello) == "it is gone");
  ByteReader payload(hello.payload);
  REQUIRE(protocol::read_runners(payload));
  const auto held = protocol::decode_held(payload.rest());
  REQUIRE(held->at(0).state == HeldState::kStarted);
  REQUIRE(held->at(1).state == HeldState::kWaiting);
  REQUIRE(held->at(2).state == HeldState::kReturned);
  REQUIRE(held->at(3).state == HeldState::kReturned);
}

TEST_CASE("a task that its runner did not take is given back once that cannot start", "[worker]") {
  Rig rig(with_runner());
  rig.link();
  rig.tasks(1, {1}, "odd");
  REQUIRE(rig.started() == std::vector<Seq>{1});
  rig.step(RunnersChanged{offers("it is gone")});
  TaskFinished unbegun{{kOrigin, 1}, {1, 10}, TaskState::kFailed, 0, 0, {}, {}};
  unbegun.is_unbegun = true;
  rig.step(std::move(unbegun));
  REQUIRE(rig.started().empty());
  REQUIRE(rig.core.unfinished() == 0);
  // With a hello: whoever gives something back in a beat gets nothing more.
  REQUIRE(rig.all<SendHello>().at(0).hello.hello == 3);
}

TEST_CASE("a runner that starts again is offered with another hello", "[worker]") {
  Rig rig(with_runner());
  rig.link();
  rig.step(RunnersChanged{offers("it is gone")});
  rig.step(RunnersChanged{offers("")});
  const auto hello = rig.all<SendHello>().at(0).hello;
  REQUIRE(hello.hello == 3);  // The second was not answered, and says something else.
  REQUIRE(told_problem(hello).empty());
  rig.step(WelcomeReceived{{1, kRun, 3, kOrigin, "pipe", 1000}});
  rig.step(PipeUp{});
  Bytes payload;
  put_task(payload, {1, 10, 1, 1, {}, {}}, "odd", false);
  rig.step(TasksReceived{{1, kRun, 3, kOrigin, 1, 1, payload}});
  REQUIRE(rig.started() == std::vector<Seq>{1});
}
