#include "ventilator/core/gates/due_times.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

using namespace eole;
using namespace eole::ventilator;

TEST_CASE("times come due as from a sorted list, whatever ends before", "[gates]") {
  DueTimes<std::int64_t> times;
  std::set<std::pair<std::int64_t, Seq>> sorted;
  std::map<Seq, std::int64_t> known;
  std::mt19937_64 random(11);
  std::int64_t now = 0;
  for (Seq seq = 1; seq < 5000; ++seq) {
    const auto due = now + static_cast<std::int64_t>(random() % 1000);
    times.put(seq, due);
    sorted.emplace(due, seq);
    known[seq] = due;
    if (random() % 3 == 0) {
      const Seq first = random() % seq;
      times.erase(first, first + 3);
      for (auto at = known.lower_bound(first); at != known.end() && at->first <= first + 3;
           at = known.erase(at))
        sorted.erase({at->second, at->first});
    }
    now += static_cast<std::int64_t>(random() % 3);
    while (const auto over = times.take_due(now)) {
      REQUIRE(!sorted.empty());
      REQUIRE(sorted.begin()->second == *over);
      sorted.erase(sorted.begin());
      known.erase(*over);
    }
    REQUIRE(times.next() == (sorted.empty() ? std::nullopt : std::optional(sorted.begin()->first)));
    REQUIRE((times.find(seq) != nullptr) == known.contains(seq));
    REQUIRE(times.heap_size() <= 2 * sorted.size() + 1);
  }
}

TEST_CASE("most tasks may end long before their time, and leave no room behind", "[gates]") {
  DueTimes<std::int64_t> times;
  for (Seq seq = 1; seq <= 1000; ++seq) times.put(seq, static_cast<std::int64_t>(seq));
  times.erase(2, 990);
  REQUIRE(times.heap_size() == 11);
  REQUIRE(times.next() == 1);
  times.erase(1, 1);
  REQUIRE(times.next() == 991);
}

TEST_CASE("a task has one time, the last that was put", "[gates]") {
  DueTimes<std::int64_t> times;
  times.put(1, 5);
  times.put(2, 7);
  times.put(1, 9);
  REQUIRE(times.next() == 7);
  REQUIRE(times.take_due(8) == Seq{2});
  REQUIRE(times.take_due(8) == std::nullopt);
  times.put(1, 6);
  REQUIRE(times.take_due(8) == Seq{1});
  REQUIRE(times.next() == std::nullopt);
}
