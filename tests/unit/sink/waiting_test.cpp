#include "sink/core/waiting.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;

namespace {

ResultsReceived results(RunId run, std::uint64_t first, Origin origin = 5, std::size_t bytes = 10) {
  return {{run, first, 0, 2, "w1", origin, Bytes(bytes, 'x')}, {}, {}};
}

std::vector<std::uint64_t> firsts(const std::vector<ResultsReceived>& taken) {
  std::vector<std::uint64_t> list;
  for (const auto& one : taken) list.push_back(one.results.first);
  return list;
}

}  // namespace

TEST_CASE("what waits goes on once its number is announced, in its order", "[sink]") {
  Waiting waiting;
  waiting.keep(results(7, 1), {5, 10});
  waiting.keep(results(7, 1), {5, 10});
  waiting.keep(results(8, 1, 6), {6, 1});
  REQUIRE_FALSE(waiting.keep_behind(results(7, 4)));
  REQUIRE(waiting.keep_behind(results(7, 3)));
  waiting.keep(results(9, 20), {5, 11});
  REQUIRE(waiting.take(5, 9).empty());
  REQUIRE(firsts(waiting.take(5, 10)) == std::vector<std::uint64_t>{1, 3});
  REQUIRE(firsts(waiting.take(5, 11)) == std::vector<std::uint64_t>{20});
  REQUIRE(firsts(waiting.take(6, 1)) == std::vector<std::uint64_t>{1});
  REQUIRE(waiting.bytes() == 0);
}

TEST_CASE("only what the same key sent is kept behind what waits", "[sink]") {
  Waiting waiting;
  waiting.keep(results(7, 1), {5, 10});
  auto next = results(7, 3);
  next.user = "another key";
  REQUIRE_FALSE(waiting.keep_behind(next));
}

TEST_CASE("results for numbers that never come take a bounded room", "[sink]") {
  Waiting waiting;
  for (std::uint64_t run = 1; run <= 100; ++run)
    waiting.keep(results(run, run, 5, 1 << 20), {5, UINT64_MAX});
  REQUIRE(waiting.bytes() <= kWaitingBytesMax);
  REQUIRE(firsts(waiting.take(5, UINT64_MAX)).back() == 100);
}

TEST_CASE("who sends results without end drives out its own alone", "[sink]") {
  Waiting waiting;
  const auto keep = [&](const std::string& user, RunId run, std::size_t bytes) {
    auto event = results(run, run, 5, bytes);
    event.user = user;
    waiting.keep(event, {5, 10});
  };
  keep("modest", 1, 1 << 20);
  for (RunId run = 2; run <= 100; ++run) keep("greedy", run, 1 << 20);
  keep("modest", 101, 1 << 20);
  REQUIRE(waiting.bytes() <= kWaitingBytesMax);
  const auto taken = firsts(waiting.take(5, 10));
  REQUIRE(taken.size() == 15);
  REQUIRE(taken.front() == 1);
  REQUIRE(taken[1] == 88);  // Of the greedy one the latest.
  REQUIRE(taken.back() == 101);
  REQUIRE(waiting.bytes() == 0);
}

TEST_CASE("what waits goes on in the order of what it waited for", "[sink]") {
  Waiting waiting;
  waiting.keep(results(7, 1), {5, 30});
  waiting.keep(results(8, 2), {5, 20});
  waiting.keep(results(9, 3), {5, 30});
  waiting.keep(results(9, 4, 4), {4, 10});
  waiting.keep(results(9, 5, 6), {6, 10});
  REQUIRE(firsts(waiting.take(5, 29)) == std::vector<std::uint64_t>{2});
  REQUIRE(firsts(waiting.take(5, UINT64_MAX)) == std::vector<std::uint64_t>{1, 3});
}

TEST_CASE("a result that names an artifact does not wait: it is judged when it is taken",
          "[sink]") {
  Waiting waiting;
  auto naming = results(7, 1);
  protocol::ResultRecord record;
  const std::string artifact(32, 'a');
  record.id = {5, 10};
  record.artifacts = artifact;
  naming.results.payload.clear();
  protocol::put_result(naming.results.payload, record);
  waiting.keep(naming, {5, 10});
  REQUIRE(waiting.take(5, 10).empty());
  waiting.keep(results(7, 1), {5, 10});
  naming.results.first = 3;
  REQUIRE(waiting.keep_behind(naming));  // It comes again.
  REQUIRE(firsts(waiting.take(5, 10)) == std::vector<std::uint64_t>{1});
}
