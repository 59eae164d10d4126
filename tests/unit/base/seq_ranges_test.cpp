#include "common/base/seq_ranges.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "common/base/crc32c.hpp"

using namespace eole;

TEST_CASE("a set of ranges is the set of its numbers, whatever the order", "[seq_ranges]") {
  std::mt19937 random(7);
  SeqRanges ranges;
  std::set<Seq> numbers;
  for (int i = 0; i < 3000; ++i) {
    const Seq first = 1 + random() % 500;
    const Seq last = first + random() % 6;
    std::uint64_t added = 0;
    for (auto seq = first; seq <= last; ++seq) added += numbers.insert(seq).second ? 1 : 0;
    REQUIRE(ranges.add(first, last) == added);
    if (i % 3 == 0) {
      const Seq gone = 1 + random() % 500;
      ranges.remove(gone, gone + 20);
      numbers.erase(numbers.lower_bound(gone), numbers.upper_bound(gone + 20));
    }
    const Seq probe = 1 + random() % 510;
    REQUIRE(ranges.contains(probe) == numbers.contains(probe));
    REQUIRE(ranges.count() == numbers.size());
    Seq missing = probe;
    while (numbers.contains(missing)) ++missing;
    REQUIRE(ranges.first_missing(probe) == missing);
    const auto within = static_cast<std::uint64_t>(
        std::distance(numbers.lower_bound(probe), numbers.upper_bound(probe + 20)));
    REQUIRE(ranges.count_within(probe, probe + 20) == within);
  }
  REQUIRE(ranges.highest() == (numbers.empty() ? 0 : *numbers.rbegin()));
}

TEST_CASE("ranges that touch are one", "[seq_ranges]") {
  SeqRanges ranges;
  ranges.add(1, 3);
  ranges.add(5, 9);
  ranges.add(4, 4);
  REQUIRE(ranges.ranges() == std::map<Seq, Seq>{{1, 9}});
}

TEST_CASE("encoded ranges come back, and nonsense does not", "[seq_ranges]") {
  SeqRanges ranges;
  ranges.add(2, 4);
  ranges.add(9, 9);
  SeqRanges again;
  REQUIRE(again.decode(ranges.encode()));
  REQUIRE(again == ranges);
  REQUIRE_FALSE(SeqRanges().decode(ranges.encode().substr(1)));
  REQUIRE_FALSE(SeqRanges().decode(std::string(16, '\0')));
}

TEST_CASE("the checksum is CRC32C", "[crc32c]") {
  REQUIRE(crc32c("123456789") == 0xE3069283);  // The check value of the Castagnoli polynomial.
  REQUIRE(crc32c("56789", crc32c("1234")) == crc32c("123456789"));
}

TEST_CASE("an id is a text and back", "[ids]") {
  const TaskId id{0x3FFFFFFF, 17};
  REQUIRE(to_text(id) == "zzzzzz-17");
  REQUIRE(parse_task_id("zzzzzz-17") == id);
  for (const auto* wrong : {"", "zzzzzz", "zzzzzz-", "zzzzzz-0", "zzzzzz-x", "zzzz-1", "uuuuuu-1"})
    REQUIRE_FALSE(parse_task_id(wrong));
}
