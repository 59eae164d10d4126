#include "common/base/seq_table.hpp"

#include <catch2/catch.hpp>
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
  Seq last = 0;
  table.for_each([&](Seq seq, int value) {
    REQUIRE((seen.empty() || seq > last));
    last = seq;
    seen[seq] = value;
  });
  REQUIRE(seen == map);
  std::map<Seq, int> followed;
  for (Seq seq = 0; const auto* value = table.next(seq); ++seq) followed[seq] = *value;
  REQUIRE(followed == map);
}
