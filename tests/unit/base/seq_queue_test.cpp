#include "common/base/seq_queue.hpp"

#include <catch2/catch.hpp>
#include <vector>

using eole::SeqQueue;

TEST_CASE("a queue by number keeps its order, whenever a key comes", "[base]") {
  SeqQueue<int> queue;
  REQUIRE(queue.find(1) == nullptr);
  REQUIRE(queue.at_or_before(9) == nullptr);
  for (const auto key : {10U, 20U, 30U, 25U, 5U}) queue.put(key, static_cast<int>(key));
  std::vector<std::uint64_t> keys;
  for (const auto& [key, value] : queue) keys.push_back(key);
  REQUIRE(keys == std::vector<std::uint64_t>{5, 10, 20, 25, 30});
  REQUIRE(*queue.find(25) == 25);
  REQUIRE(queue.find(26) == nullptr);
  REQUIRE(queue.at_or_before(4) == nullptr);
  REQUIRE(queue.at_or_before(24)->first == 20);
  REQUIRE(queue.at_or_before(25)->first == 25);
  REQUIRE(queue.at_or_before(UINT64_MAX)->first == 30);
  REQUIRE(queue.from_before(1)->first == 5);
  REQUIRE(queue.from_before(24)->first == 20);
  REQUIRE(queue.from_before(25)->first == 25);
  REQUIRE(queue.from_before(31)->first == 30);
  queue.put(20, 7);
  REQUIRE(*queue.find(20) == 7);
  queue.pop_front();
  queue.pop_back();
  REQUIRE(queue.front().first == 10);
  REQUIRE(queue.back().first == 25);
}
