#include "ventilator/core/fleet.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

const TimePoint kNow = TimePoint(100s);

Worker worker(RunId run) {
  protocol::Hello hello;
  hello.name = "w" + std::to_string(run);
  return Worker("peer", "key", {1, run, 1}, hello, {}, kNow);
}

std::vector<RunId> runs(const std::vector<Worker*>& workers) {
  std::vector<RunId> runs;
  for (const auto* worker : workers) runs.push_back(worker->link.run);
  return runs;
}


}  // namespace

TEST_CASE("credit is a level: an old one takes nothing back, a smaller one grants nothing",
          "[ventilator]") {
  Credit credit;
  credit.take(0, 5);
  REQUIRE(credit.room() == 5);
  credit.send(3);
  credit.take(3, 4);
  REQUIRE(credit.room() == 2);
  credit.close();
  REQUIRE(credit.room() == 0);
}

TEST_CASE("three beats in which what was sent does not arrive are a broken pipe",
          "[ventilator]") {
  Credit credit;
  credit.take(0, 5);
  credit.send(1);
  REQUIRE_FALSE(credit.is_stuck(0));  // It was sent since the last beat.
  REQUIRE_FALSE(credit.is_stuck(0));
  REQUIRE_FALSE(credit.is_stuck(0));
  REQUIRE(credit.is_stuck(0));
  REQUIRE_FALSE(credit.is_stuck(1));
}

TEST_CASE("a pipe through which something comes is slow, not broken", "[ventilator]") {
  Credit credit;
  credit.take(0, 100);
  credit.send(100);
  for (std::uint64_t received = 0; received < 10; ++received)
    REQUIRE_FALSE(credit.is_stuck(received));
}

TEST_CASE("silence makes suspect, more of it lost, and lateness is forgiven", "[ventilator]") {
  const Config config;
  Silence silence(kNow);
  REQUIRE(silence.judge(config, kNow + 2900ms) == std::nullopt);
  REQUIRE_FALSE(silence.is_suspect());
  REQUIRE(silence.next_judgement(config) == kNow + 3s);
  REQUIRE(silence.judge(config, kNow + 3s) == std::nullopt);
  REQUIRE(silence.is_suspect());
  REQUIRE(silence.judge(config, kNow + 3500ms) == "it fell silent");
  silence.forgive(3s, kNow + 3500ms);
  REQUIRE(silence.judge(config, kNow + 3500ms) == std::nullopt);
  silence.end_pipe(kNow + 4s);
  REQUIRE(silence.judge(config, kNow + 4250ms) == "its connection ended");
  silence.hear(kNow + 4250ms);
  REQUIRE(silence.judge(config, kNow + 5s) == std::nullopt);
}

TEST_CASE("those with credit take turns; suspects and who runs a last attempt do not",
          "[ventilator]") {
  Fleet fleet(Config{}, kNow);
  for (RunId run = 1; run <= 4; ++run)
    fleet.take_levels(fleet.put(worker(run), {}, kNow), 0, 10);
  REQUIRE(runs(fleet.open({})) == std::vector<RunId>{1, 2, 3, 4});
  REQUIRE(runs(fleet.open({})) == std::vector<RunId>{2, 3, 4, 1});
  fleet.find(2)->alone = 7;
  fleet.end_pipe(*fleet.find(3), kNow);
  REQUIRE(runs(fleet.open(4)) == std::vector<RunId>{1});
  fleet.take(1);
  REQUIRE(runs(fleet.open({})) == std::vector<RunId>{4});
}

TEST_CASE("who has a free slot comes before those that would only store a task", "[ventilator]") {
  Fleet fleet(Config{}, kNow);
  for (RunId run = 1; run <= 3; ++run)
    fleet.take_levels(fleet.put(worker(run), {}, kNow), 0, 10);
  fleet.find(1)->leases.adopt(7, {1, 1});
  REQUIRE(runs(fleet.open({})) == std::vector<RunId>{2, 3, 1});
  REQUIRE(runs(fleet.open({})) == std::vector<RunId>{2, 3, 1});
  fleet.find(1)->release(1);
  REQUIRE(runs(fleet.open({})) == std::vector<RunId>{3, 1, 2});
}

TEST_CASE("whoever is silent is lost, unless it was the loop that came late", "[ventilator]") {
  Fleet fleet(Config{}, kNow);
  fleet.put(worker(1), {}, kNow);
  std::vector<std::string> suspects;
  REQUIRE(fleet.judge(kNow + 30s, suspects).empty());
  for (auto at = 31s; at < 34s; at += 1s) REQUIRE(fleet.judge(kNow + at, suspects).empty());
  REQUIRE(suspects.size() == 1);
  REQUIRE(fleet.judge(kNow + 34s, suspects) == std::vector<Fleet::Lost>{{1, "it fell silent"}});
  REQUIRE(suspects.size() == 1);
}

TEST_CASE("a kind that two workers describe is as the one that came last does", "[ventilator]") {
  const auto with = [](RunId run, std::vector<protocol::RunnerOffer> runners) {
    auto one = worker(run);
    return Worker(one.peer, one.user, one.link, one.about, std::move(runners), kNow);
  };
  Fleet fleet(Config{}, kNow);
  fleet.put(with(1, {{"a", "", {{"odd", "The old one."}, {"rest"}}}}), {}, kNow);
  fleet.put(with(2, {{"a", "", {{"odd", "The new one."}}}}), {}, kNow);
  REQUIRE(fleet.kinds().at("odd").about == "The new one.");
  REQUIRE(fleet.kinds().contains("rest"));
  fleet.take(2);
  REQUIRE(fleet.kinds().at("odd").about == "The old one.");
}

TEST_CASE("what a runner that cannot start would run is not offered, and it is said why",
          "[ventilator]") {
  auto one = worker(1);
  Fleet fleet(Config{}, kNow);
  const Placement placement;
  const protocol::TaskClass odd{"odd"};
  const auto put = [&](const std::string& problem) {
    const auto before = fleet.find(1) == nullptr ? Worker() : *fleet.find(1);
    fleet.put(Worker(one.peer, one.user, one.link, one.about, {{"./a", problem, {{"odd"}}}}, kNow),
              before, kNow);
  };
  put("runner ./a: ended");
  REQUIRE_FALSE(fleet.kinds().contains("odd"));
  REQUIRE(fleet.why_nobody(odd, placement)->text ==
          text("no connected worker offers odd; on ", one.about.name, " runner ./a: ended"));
  REQUIRE(fleet.why_nobody(odd, placement, Within("acme/"))->text ==
          "no connected worker offers odd; its runners cannot start");
  REQUIRE(fleet.views(placement).at(0).broken ==
          std::vector<WorkerView::Broken>{{"./a", "runner ./a: ended"}});
  put("");
  REQUIRE(fleet.kinds().contains("odd"));
  REQUIRE_FALSE(fleet.why_nobody(odd, placement));
  REQUIRE(fleet.views(placement).at(0).broken.empty());
}
