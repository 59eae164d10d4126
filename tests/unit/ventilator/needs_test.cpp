#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::TaskClass;

// Which worker has what a task needs.

namespace {

struct NeedsRig : Rig {
  using Rig::Rig;
  void has(RunId run, std::uint64_t limit, const std::string& labels, const std::string& resources,
           std::vector<Held> held = {}, std::uint32_t number = 1) {
    protocol::Hello hello;
    hello.run = run;
    hello.hello = number;
    hello.name = "w" + std::to_string(run);
    hello.kinds = "work";
    hello.labels = labels;
    hello.resources = resources;
    step(HelloReceived{peer(run), hello, std::move(held)});
    credit(run, 0, limit, number);
  }
  Actions& wants(std::uint32_t count, const std::string& needs, const std::string& place = "",
                 const std::string& project = "") {
    TaskClass task_class{"work", project};
    task_class.needs = needs;
    task_class.place = place;
    Bytes groups;
    protocol::put_task_group(groups, {protocol::encode_class(task_class), count, ""});
    return step(Submitted{"client", {7, 1 + core.accepted(), 0, "", count, groups}, "", false});
  }
  /// A second later this one is settled; what worker 1 gets meanwhile.
  Seqs pass_and_settle(Seq seq) {
    Seqs got;
    const auto add = [&] {
      for (const auto each : sent(1)) got.push_back(each);
    };
    pass(1s), add();
    credit(1, 0, 9'999), add();
    if (seq != 0) settle({seq}), add();
    return got;
  }
  Why why(Seq seq) const { return core.explain().why(seq, "").at(0); }
  /// What is left of each resource of the only worker.
  std::vector<std::uint64_t> free() const {
    std::vector<std::uint64_t> all;
    const auto workers = core.workers();
    for (const auto& each : workers.at(0).resources) all.push_back(each.free);
    return all;
  }
  /// Task 1, which needs a licence: to a worker that is lost then but runs it on, and to another.
  void lease_twice() {
    has(1, 9, "", "licence=1");
    wants(1, "licence=1");
    silence(1);
    answer_read();
    has(2, 9, "", "licence=1");
    pass(1s);
    REQUIRE(core.explain().task(1)->worker == "w2");
  }
};

}  // namespace

TEST_CASE("a task goes only to who has its labels, and says if nobody has", "[ventilator]") {
  NeedsRig rig;
  rig.has(1, 10, "gpu=v100", "");
  rig.wants(2, "gpu=a100");
  REQUIRE(rig.all<SendTasks>().empty());
  REQUIRE(rig.why(1) ==
          Why{"needs", "it needs gpu=a100, which no connected worker that offers work has"});
  rig.wants(1, "");  // It is in nobody's way.
  REQUIRE(rig.sent(1) == Seqs{3});
  rig.has(2, 10, "zone=eu,gpu=a100", "");
  REQUIRE(rig.sent(2) == Seqs{1, 2});
}

TEST_CASE("what is leased takes of a resource until it is over", "[ventilator]") {
  NeedsRig rig;
  rig.has(1, 100, "", "mem=64G,licence=2");
  rig.wants(5, "mem=20G");
  REQUIRE(rig.sent(1) == Seqs{1, 2, 3});
  REQUIRE(rig.free() == std::vector<std::uint64_t>{2000, 4ULL * 1000 << 30});
  REQUIRE(rig.why(4) == Why{"resources",
                            "it needs mem=20G, of which 1 worker has enough, and other "
                            "tasks use it now"});
  rig.wants(2, "licence=0.5,mem=2G");  // Beside them.
  REQUIRE(rig.sent(1) == Seqs{6, 7});
  rig.wants(1, "");
  REQUIRE(rig.sent(1) == Seqs{8});
  rig.settle({2});
  REQUIRE(rig.sent(1) == Seqs{4});
  rig.settle({1, 3});
  REQUIRE(rig.sent(1) == Seqs{5});
  rig.wants(1, "mem=65G");
  REQUIRE(rig.all<SendTasks>().empty());
  REQUIRE(rig.why(9).code == "needs");
}

TEST_CASE("a resource is free again when its worker is lost, or gives a task back",
          "[ventilator]") {
  NeedsRig rig;
  rig.has(1, 1, "", "mem=1G");
  rig.wants(2, "mem=1G");
  REQUIRE(rig.sent(1) == Seqs{1});
  rig.beat(1, 1, 9, {Rig::held(1, 1, HeldState::kReturned)});
  rig.has(2, 9, "", "mem=1G");
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.step(GoodbyeReceived{Rig::peer(2), {1, 2, 1}});
  rig.answer_read();
  rig.has(3, 9, "", "mem=1G");
  REQUIRE(rig.sent(3) == Seqs{1});
  rig.settle({1});
  rig.beat(3, 1, 9);
  REQUIRE(rig.sent(3) == Seqs{2});
}

TEST_CASE("a task may be pinned to a worker, or prefer one", "[ventilator]") {
  NeedsRig rig;
  rig.has(1, 10, "", "");
  rig.wants(1, "", "pin=w2");
  REQUIRE(rig.all<SendTasks>().empty());
  REQUIRE(rig.why(1) == Why{"pin", "it is pinned to w2, which is not connected"});
  rig.has(2, 2, "", "");
  REQUIRE(rig.sent(2) == Seqs{1});
  rig.wants(2, "", "prefer=w2");
  REQUIRE(rig.sent(2) == Seqs{2});
  REQUIRE(rig.sent(1) == Seqs{3});  // The other one is full.
  rig.wants(1, "gpu=a100", "pin=w2");
  REQUIRE(rig.why(4) == Why{"needs", "it is pinned to w2, which does not have gpu=a100"});
}

TEST_CASE("what is to be spread goes where the fewest of its project are", "[ventilator]") {
  NeedsRig rig;
  for (const RunId run : {1, 2, 3}) rig.has(run, 10, "", "");
  rig.wants(3, "", "spread", "p");
  for (const RunId run : {1, 2, 3}) REQUIRE(rig.sent(run).size() == 1);
  rig.wants(3, "", "spread", "q");
  for (const RunId run : {1, 2, 3}) REQUIRE(rig.sent(run).size() == 1);
  rig.wants(4, "", "spread", "p");  // Everybody has one: they do not wait, and are spread on.
  for (const RunId run : {1, 2, 3}) REQUIRE((rig.sent(run).size() - 1) <= 1);
}

TEST_CASE("nothing that needs a resource goes where a task still runs that was leased to others",
          "[ventilator]") {
  NeedsRig rig;
  rig.lease_twice();
  rig.wants(2, "licence=1");
  rig.wants(1, "");
  rig.has(1, 9, "", "licence=1", {Rig::held(1, 1)}, 2);  // It wakes.
  REQUIRE(rig.sent(1).empty());
  rig.beat(1, 0, 9, {Rig::held(1, 1)}, 2);
  REQUIRE(rig.sent(1).empty());
  rig.beat(1, 0, 9, {}, 2);  // It has ended.
  REQUIRE(rig.sent(1) == Seqs{2});
}

TEST_CASE("what was settled by an earlier lease takes of a resource as long as it may run",
          "[ventilator]") {
  NeedsRig rig;
  rig.lease_twice();
  rig.wants(1, "licence=1");
  rig.settle({1});
  REQUIRE(rig.last<SendOrders>() == SendOrders{Rig::peer(2), {1, 2, 1}, true, {}});
  REQUIRE(rig.sent(2).empty());
  rig.beat(2, 0, 9);  // It has not come as yet.
  REQUIRE(rig.sent(2).empty());
  rig.beat(2, 1, 9, {Rig::held(1, 2)});
  REQUIRE(rig.sent(2).empty());
  rig.beat(2, 1, 9);
  REQUIRE(rig.sent(2) == Seqs{2});
  rig.wants(1, "licence=1");
  rig.settle({2});  // By its only lease: nobody is asked.
  REQUIRE(rig.all<SendOrders>().empty());
  REQUIRE(rig.sent(2) == Seqs{3});
}

TEST_CASE("who loses a task to the holder of a later lease may run it still", "[ventilator]") {
  TaskClass task_class{"work"};
  task_class.needs = "licence=1";
  Bytes groups;
  protocol::put_task_group(groups, {protocol::encode_class(task_class), 1, ""});
  auto durable = Rig::fresh();
  durable.start = 2;
  durable.last = 1;
  REQUIRE(durable.load_groups(1, 1, groups));
  NeedsRig rig(std::move(durable));
  for (const RunId run : {1, 2}) {  // Of the later lease the one that says hello last has it.
    rig.has(run, 0, "", "licence=1", {Rig::held(1, run)});
    rig.beat(run, 0, 9, {Rig::held(1, run)}, 1, 2);
  }
  REQUIRE(rig.core.explain().task(1)->worker == "w2");
  rig.wants(1, "licence=1");
  REQUIRE(rig.sent(1).empty());
  rig.beat(1, 0, 9, {}, 1, 2);
  REQUIRE(rig.sent(1) == Seqs{2});
}

TEST_CASE("an attempt that is older than one that failed takes of a resource as long as it runs",
          "[ventilator]") {
  NeedsRig rig;
  rig.lease_twice();
  rig.settle({}, {{1, {1, 2}, "no luck"}});
  rig.has(1, 9, "", "licence=1", {Rig::held(1, 1)}, 2);
  rig.wants(1, "licence=1");
  REQUIRE(rig.sent(2) == Seqs{2});
  rig.wants(1, "licence=1");
  REQUIRE(rig.sent(1).empty());
  rig.beat(1, 0, 9, {}, 2);
  REQUIRE(rig.sent(1) == Seqs{3});
}

TEST_CASE("a last attempt does not join what runs in its worker as others'", "[ventilator]") {
  Rig rig;
  rig.worker(1, 1);
  rig.submit(1, 1, 2);
  rig.pass(4s);
  rig.answer_read();
  const auto strange = Held{{kOrigin + 1, 7}, {1, 1}, HeldState::kStarted};
  rig.hello(2, 1, {strange});
  rig.beat(2, 0, 9, {strange});
  rig.pass(1s);
  REQUIRE(rig.core.explain().task(1)->attempt == 1);
  rig.beat(2, 0, 9);
  REQUIRE(rig.sent(2) == Seqs{1});
}

TEST_CASE("a worker whose offers make no sense is refused by name", "[ventilator]") {
  NeedsRig rig;
  rig.has(1, 10, "", "mem=much");
  REQUIRE(rig.core.workers().empty());
  protocol::Hello hello;
  hello.run = 2;
  hello.hello = 1;
  hello.labels = "gpu";
  rig.step(HelloReceived{"peer", hello, {}});
  REQUIRE(rig.last<Reply>() ==
          Reply{"peer", protocol::Refused{0, "hello: label: gpu: is NAME=VALUE"}});
}

TEST_CASE("what is no more leased to a worker leaves no name behind", "[ventilator]") {
  Placement placement;
  for (ClassId id = 1; id <= 100; ++id) {
    protocol::TaskClass task_class{"work", "project" + std::to_string(id)};
    task_class.needs = "gpu" + std::to_string(id) + "=1";
    placement.add(id, task_class);
    placement.lease(7, id);
    if (id > 1) placement.release(7, id - 1);  // It always has something.
  }
  REQUIRE(placement.of_project(7, "project100") == 1);
  REQUIRE(placement.names(7) == 2);
  placement.release(7, 100);
  REQUIRE(placement.names(7) == 0);
}

TEST_CASE("what a class asks for is parsed once, and told apart by needs and place",
          "[ventilator]") {
  Placement placement;
  const auto of = [&](const std::string& needs, const std::string& place) {
    protocol::TaskClass task_class{"work"};
    task_class.needs = needs;
    task_class.place = place;
    return &placement.of(task_class);
  };
  const auto* gpu = of("gpu=1", "");
  REQUIRE(gpu->needs.size() == 1);
  REQUIRE(of("", "spread")->needs.empty());
  REQUIRE(of("gpu=1", "spread")->place.is == protocol::Place::Is::kSpread);
  REQUIRE(of("gpu=1", "") == gpu);
}

TEST_CASE("what needs much is not passed for ever by what needs little", "[ventilator]") {
  NeedsRig rig;
  rig.has(1, 9'999, "", "mem=64G");
  rig.wants(4, "mem=16G");
  rig.wants(1, "mem=48G");
  rig.wants(100, "mem=16G");
  Seqs running{1, 2, 3, 4};
  int seconds = 0;
  for (; running.back() != 5 && seconds < 60; ++seconds) {  // One ends each second.
    for (const auto seq : rig.pass_and_settle(running.front())) running.push_back(seq);
    running.erase(running.begin());
  }
  CHECK(seconds > 10);  // Until then nothing lies idle.
  CHECK(seconds < 60);
}

TEST_CASE("what a worker's resource is kept for may wait for ever, others do not", "[ventilator]") {
  NeedsRig rig;
  rig.has(1, 9'999, "", "mem=64G");
  rig.wants(1, "mem=32G");  // It never ends.
  rig.wants(1, "mem=48G");
  rig.wants(1'000, "mem=32G");
  REQUIRE(rig.sent(1) == Seqs{3});
  std::size_t ended = 0;
  for (Seq running = 3; ended < 300 && rig.now < kStart + 1000s;) {
    ended += running != 0 ? 1 : 0;
    const auto sent = rig.pass_and_settle(running);
    running = sent.empty() ? 0 : sent.back();
  }
  CHECK(ended == 300);
}
