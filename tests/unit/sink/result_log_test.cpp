#include "sink/io/result_log.hpp"

#include <catch2/catch.hpp>

#include "common/base/utf8.hpp"
#include "common/protocol/value.hpp"
#include "sink/io/history.hpp"
#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::sink;

TEST_CASE("a ventilator that is behind others' results reads on in steps", "[log]") {
  constexpr Origin kOther = 5;
  constexpr Origin kOrigin = 6;
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  ResultLog log(*directory, {.entropy = 1}, 0);
  Actions actions;
  for (const auto origin : {kOther, kOrigin})
    log.core().on_event(IntroduceReceived{"v", {1, origin, 1, 9, 100, 0, 1, {}}, {}}, actions);
  const std::string body(1 << 20, 'x');
  for (std::uint64_t number = 1; number <= 10; ++number) {
    protocol::Results results{7, number, 0, 1, "w1", kOther, {}};
    protocol::ResultRecord result;
    result.id = {kOther, number};
    result.body = body;
    put_result(results.payload, result);
    log.core().on_event(ResultsReceived{results, {}, {}}, actions);
  }
  log.write(actions, 0);
  History history(*directory);
  history.take(log.take_news());
  std::vector<std::uint64_t> steps;
  protocol::Follow follow{1, log.core().log(), kOrigin, 9, 0};
  while (follow.offset < log.core().head()) {
    const auto settled = history.follow(follow);
    REQUIRE(settled);
    REQUIRE(protocol::decode_settlement(settled->payload)->ranges.empty());
    follow.offset = settled->to;
    steps.push_back(follow.offset);
  }
  REQUIRE(steps == std::vector<std::uint64_t>{4, 8, 10});
}

TEST_CASE("a journal is not opened as a log", "[log]") {
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  {
    storage::Store journal(*directory, {.entropy = 1}, [](auto, auto, auto) {});
  }
  REQUIRE_THROWS_WITH((ResultLog(*directory, {.entropy = 2}, 0)),
                      Catch::Contains("of another store"));
}

TEST_CASE("a ventilator that is far behind reads on in pages, also within a batch", "[log]") {
  constexpr Origin kOrigin = 5;
  constexpr Seq kTasks = 6000;
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  ResultLog log(*directory, {.entropy = 1}, 0);
  Actions actions;
  log.core().on_event(IntroduceReceived{"v", {1, kOrigin, 1, 9, kTasks, 0, 1, {}}, {}}, actions);
  std::string umlauts = "x";  // A limit in bytes falls into the middle of one.
  while (umlauts.size() < 1200) umlauts += "\xc3\xbc";
  const auto body = protocol::Value(protocol::Value::Map{{"error", umlauts}}).to_msgpack();
  for (const Seq first : {Seq{1}, kTasks / 2 + 1}) {  // Two batches, of failures and their ends.
    protocol::Results results{7, first, 0, kTasks / 2, "w1", kOrigin, {}};
    for (auto seq = first; seq < first + kTasks / 2; ++seq) {
      protocol::ResultRecord result;
      result.id = {kOrigin, seq};
      result.lease = {1, seq};
      result.is_final = seq % 100 == 0;
      result.state = seq % 200 == 0 ? protocol::TaskState::kDone : protocol::TaskState::kFailed;
      result.body = body;
      put_result(results.payload, result);
    }
    log.core().on_event(ResultsReceived{results, {}, {}}, actions);
  }
  log.write(actions, 0);
  History history(*directory);
  history.take(log.take_news());

  protocol::Settlement read;
  protocol::Follow follow{1, log.core().log(), kOrigin, 9, 0};
  int pages = 0;
  while (follow.offset < log.core().head()) {
    const auto settled = history.follow(follow);
    REQUIRE(settled);
    REQUIRE(settled->payload.size() <= protocol::kSettlementBytesMax);
    REQUIRE((settled->from == follow.offset && settled->to > follow.offset));
    read.add(*protocol::decode_settlement(settled->payload));
    follow.offset = settled->to;
    ++pages;
  }
  REQUIRE(pages == 6);
  REQUIRE(read.ranges.size() == kTasks / 100);
  REQUIRE(read.not_done.size() == kTasks / 200);
  REQUIRE(read.failures.size() == kTasks - kTasks / 100);
  for (const auto& failure : read.failures) REQUIRE(is_utf8(failure.reason));
  REQUIRE(read.failures.back().reason.size() == 1023);
}
