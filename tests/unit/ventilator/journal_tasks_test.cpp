#include "ventilator/io/journal_tasks.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

using namespace eole;
using namespace eole::ventilator;

namespace {

/// Records of four tasks with a hundred bytes each, and what of them is settled.
struct Records {
  TaskPlaces places;
  SeqRanges settled;

  explicit Records(Seq records) {
    for (Seq i = 0; i < records; ++i) places.put(4 * i + 1, 4, {1, 100 * i}, 400, 0);
  }
  /// How many bytes live once these are settled, too.
  std::uint64_t live_after(const std::vector<std::pair<Seq, Seq>>& ranges) {
    SeqRanges news;
    for (const auto& [first, last] : ranges) news.add(first, last), settled.add(first, last);
    places.settle(news, settled);
    return places.live_bytes();
  }
};

}  // namespace

TEST_CASE("of a record lives what is not settled, however scattered the news of it are",
          "[journal]") {
  Records records(4);
  REQUIRE(records.live_after({}) == 1600);
  REQUIRE(records.live_after({{1, 1}, {3, 3}}) == 1400);
  REQUIRE(records.live_after({{4, 5}, {7, 7}, {9, 9}, {14, 15}}) == 800);
  REQUIRE(records.live_after({{5, 9}}) == 600);  // Partly no news.
  REQUIRE(records.live_after({{2, 2}, {10, 13}}) == 100);
  REQUIRE(records.live_after({{16, 16}}) == 0);
  REQUIRE_FALSE(records.places.oldest_segment());
}

TEST_CASE("of tasks that were written again it is the same", "[journal]") {
  Records records(2);
  for (const Seq first : {1, 5}) {
    records.places.put_moved(first, 4, {2, 100 * first}, 400);
    records.places.remove(first);
  }
  REQUIRE(records.places.live_bytes() == 800);
  REQUIRE(records.places.oldest_segment() == 2);
  REQUIRE(records.live_after({{2, 2}, {4, 5}, {7, 8}}) == 300);
  REQUIRE(records.live_after({{1, 3}, {6, 6}}) == 0);
}
