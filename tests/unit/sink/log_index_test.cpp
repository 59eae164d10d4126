#include "sink/io/log_index.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace eole;
using namespace eole::sink;

namespace {

Summary of(std::uint64_t offset, std::vector<Stretch> stretches) {
  Summary summary;
  summary.first_offset = offset;
  summary.stretches = std::move(stretches);
  return summary;
}

}  // namespace

TEST_CASE("a page knows at least the tasks that it holds, in bounded memory", "[log_index]") {
  std::mt19937 random(5);
  LogIndex index;
  std::vector<TaskId> tasks;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const TaskId id{static_cast<Origin>(1 + random() % 3), 1 + random() % 100'000};
    tasks.push_back(id);
    index.add({1, 128 + i}, of(i, {{id.origin, id.seq, id.seq + i % 3, true, false}}));
  }
  REQUIRE(index.pages().size() == 1);
  const auto& page = index.pages().front();
  for (const auto& id : tasks) REQUIRE(page.may_have(id));
  REQUIRE_FALSE(page.may_have({1, 200'000}));
  REQUIRE_FALSE(page.may_have({4, 1000}));
}

TEST_CASE("a page with few gaps knows exactly its tasks", "[log_index]") {
  LogIndex index;
  index.add({1, 128}, of(0, {{5, 100, 199, true, false}, {5, 7, 7, true, false}}));
  index.add({1, 256}, of(101, {{5, 8, 20, true, false}, {5, 200, 220, true, false}}));
  const auto& page = index.pages().front();
  for (const Seq seq : {7, 8, 20, 100, 199, 220}) REQUIRE(page.may_have({5, seq}));
  for (const Seq seq : {6, 21, 99, 221}) REQUIRE_FALSE(page.may_have({5, seq}));
  REQUIRE_FALSE(page.has_failures());
  REQUIRE_FALSE(page.has_letters());
}

TEST_CASE("a page of more origins than it can name may have any task", "[log_index]") {
  LogIndex index;
  for (Origin origin = 1; origin <= kPageRangesMax + 1; ++origin)
    index.add({1, 128}, of(origin - 1, {{origin, 7, 7, false, false}}));
  REQUIRE(index.pages().front().may_have({1, 7}));
  REQUIRE(index.pages().front().may_have({77, 7}));
  REQUIRE(index.pages().front().has_failures());
}

TEST_CASE("an offset is found in the page that holds it", "[log_index]") {
  LogIndex index;
  index.add({1, 128}, of(0, {{5, 1, 10, true, false}}));
  index.add({1, 128 + kPageBytes - 8}, of(10, {{5, 11, 20, true, false}}));
  index.add({1, 128 + kPageBytes}, of(20, {{5, 21, 30, true, true}}));
  index.add({2, 128}, of(30, {{5, 31, 40, true, false}}));  // A page lies in one segment.
  REQUIRE(index.pages().size() == 3);
  REQUIRE(index.page_of(0) == 0);
  REQUIRE(index.page_of(19) == 0);
  REQUIRE(index.page_of(20) == 1);
  REQUIRE(index.page_of(35) == 2);
  REQUIRE(index.pages()[1].has_letters());
}
