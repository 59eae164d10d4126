#include "common/base/seq_table.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>

using namespace eole;

TEST_CASE("a table by sequence numbers does what a map does", "[base]") {
  SeqTable<int> table;
  std::map<Seq, int> map;
  std::mt19937_64 random(7);
  for (int step = 0; step < 20'000; ++step) {
    const Seq seq = random() % 500;
    switch (random() % 3) {
      case 0:
        table[seq] = map[seq] = step;
        break;
      case 1:
        table.erase(seq);
        map.erase(seq);
        break;
      default: {
        const auto* found = table.find(seq);
        REQUIRE((found != nullptr) == map.contains(seq));
        if (found != nullptr) REQUIRE(*found == map.at(seq));
      }
    }
    REQUIRE(table.size() == map.size());
  }
  std::map<Seq, int> seen;
  table.for_each([&](Seq seq, int value) {
    REQUIRE((seen.empty() || seq > seen.rbegin()->first));
    seen[seq] = value;
  });
  REQUIRE(seen == map);
  std::map<Seq, int> followed;
  for (Seq seq = 0; const auto* value = table.next(seq); ++seq) followed[seq] = *value;
  REQUIRE(followed == map);
  for (int step = 0; step < 2000; ++step) {
    const Seq first = random() % 500;
    const Seq last = first + random() % 100;
    auto seq = first;
    const auto* found = table.next(seq, last);
    const auto expected = map.lower_bound(first);
    const bool is_there = expected != map.end() && expected->first <= last;
    REQUIRE((found != nullptr) == is_there);
    if (is_there) REQUIRE((seq == expected->first && *found == expected->second));
  }
}

TEST_CASE("a table by sequence numbers frees what its entries own, once", "[base]") {
  const auto owned = std::make_shared<int>(1);  // Shared so that the test can count.
  {
    SeqTable<std::shared_ptr<int>> table;
    for (Seq seq = 60; seq < 70; ++seq) table[seq] = owned;
    REQUIRE(owned.use_count() == 11);
    table.erase(60);
    table.erase(60);
    REQUIRE(owned.use_count() == 10);
    REQUIRE(table[60] == nullptr);
    auto moved = std::move(table);
    REQUIRE(moved.size() == 10);
  }
  REQUIRE(owned.use_count() == 1);
}
