#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

protocol::Hello hello(RunId run, std::uint32_t number = 1) {
  protocol::Hello hello;
  hello.run = run;
  hello.hello = number;
  return hello;
}

}  // namespace

TEST_CASE("a worker that grants endless credit is leased a bounded number of tasks",
          "[ventilator]") {
  Rig rig;
  for (std::uint64_t request = 1; request <= 20; ++request) rig.submit(65536, request);
  rig.worker(1, UINT64_MAX);
  REQUIRE(rig.core.running() == kCreditMax);
  rig.credit(1, 10, UINT64_MAX);
  REQUIRE(rig.core.running() == kCreditMax + 10);
  for (auto i = 0; i < 20; ++i) rig.credit(1, UINT64_MAX, UINT64_MAX);  // It received all.
  REQUIRE(rig.core.running() == kLeasedMax);
  rig.settle({1, 2, 3});
  rig.credit(1, UINT64_MAX, UINT64_MAX);
  REQUIRE(rig.core.running() == kLeasedMax);
}

TEST_CASE("only the connection and the key that said hello speak for a worker", "[ventilator]") {
  Rig rig;
  auto first = hello(1);
  first.kinds = "work";
  rig.step(HelloReceived{"its", first, {}, "its key"});
  rig.submit(1);
  const protocol::Credit credit{1, 1, 1, 0, 5};
  const auto refused = Actions{SendHelloAgain{"other", 1}};
  REQUIRE(rig.step(CreditReceived{"other", credit, "its key"}) == refused);
  REQUIRE(rig.step(CreditReceived{"other", credit, "another"}) == refused);
  REQUIRE(rig.step(BeatReceived{"other", {1, 1, 1, 9, 0, 5, 0, {}}, {}, "its key"}) == refused);
  REQUIRE(rig.step(GoodbyeReceived{"its", {1, 1, 1}, "another"}).empty());
  REQUIRE(rig.step(GoodbyeReceived{"other", {1, 1, 1}, "its key"}).empty());
  REQUIRE(rig.core.workers().size() == 1);
  rig.step(CreditReceived{"its", credit, "its key"});
  REQUIRE(rig.sent(1) == Seqs{1});
}

TEST_CASE("a hello in the run of another key is refused", "[ventilator]") {
  Rig rig;
  rig.step(HelloReceived{"its", hello(1), {}, "its key"});
  REQUIRE(rig.step(HelloReceived{"other", hello(1, 2), {}, "another"}) ==
          Actions{Reply{"other",
                        protocol::Refused{0, "hello: run 0000000000000001 is another key's"}}});
  REQUIRE(rig.step(HelloReceived{"its", hello(1, 2), {}, "its key"}) ==
          Actions{ClosePipe{{1, 1, 1}}, WelcomeWorker{"its", {1, 1, 2}}});
}

TEST_CASE("a huge hello number from another connection silences nobody", "[ventilator]") {
  Rig rig;
  rig.hello(1);
  rig.step(HelloReceived{"other", hello(1, UINT32_MAX), {}, ""});
  const auto refused = std::get<protocol::Refused>(rig.last<Reply>().message);
  REQUIRE_THAT(refused.reason, Catch::Contains("number 4294967295") && Catch::Contains("1024"));
  rig.hello(1, 2);
  REQUIRE(rig.out == Actions{ClosePipe{{1, 1, 1}}, WelcomeWorker{Rig::peer(1), {1, 1, 2}}});
  rig.step(HelloReceived{"after a reconnection", hello(1, 3), {}, ""});
  REQUIRE(rig.all<WelcomeWorker>().size() == 1);
}

TEST_CASE("a flood of hellos takes half of the places, and none of a worker that works",
          "[ventilator]") {
  Rig rig;
  rig.step(HelloReceived{"its", hello(1), {}, "its key"});
  rig.step(CreditReceived{"its", {1, 1, 1, 0, 5}, "its key"});
  const auto most = Config{}.workers_max / 2;
  for (RunId run = 2; run < 10000; ++run)
    rig.step(HelloReceived{"flood", hello(run), {}, "mallory"});
  REQUIRE(rig.all<WelcomeWorker>().empty());
  REQUIRE(rig.core.workers().size() == 1 + most);
  rig.step(HelloReceived{"new", hello(20000), {}, "its key"});
  REQUIRE(rig.all<WelcomeWorker>().size() == 1);
  rig.pass(1100ms);  // Whoever said nothing since makes room for one that does, of the same key.
  rig.step(HelloReceived{"other", hello(20001), {}, "mallory"});
  REQUIRE(rig.all<WelcomeWorker>().size() == 1);
  REQUIRE(rig.all<ClosePipe>().size() == 1);
  REQUIRE(rig.core.workers().size() == 2 + most);
}
