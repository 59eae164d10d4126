#include "common/protocol/range_pages.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/records.hpp"

using namespace eole;
using namespace eole::protocol;

TEST_CASE("670,000 settled ranges travel in pages of bounded size", "[messages]") {
  SeqRanges settled;
  NotDone not_done;
  for (Seq seq = 1; seq <= 670'000; ++seq) settled.add(seq * 2, seq * 2);
  for (Seq seq = 1; seq <= 100'000; ++seq)
    not_done.add({seq * 4, seq * 4}, kNotDoneStates[seq % kNotDoneStates.size()]);
  const auto pages = encode_pages(settled, not_done);
  REQUIRE(pages.size() == 13);
  RangePages together;
  const auto count = static_cast<std::uint32_t>(pages.size());
  for (std::uint32_t page = 0; page < count; ++page) {
    REQUIRE(pages[page].size() <= kSettlementBytesMax);
    REQUIRE(together.take(page, count, pages[page]) == (page + 1 == count));
  }
  REQUIRE(together.settled() == settled);
  REQUIRE(together.not_done() == not_done);
}

TEST_CASE("pages that are not in order or make no sense are not believed", "[messages]") {
  const auto empty = encode_pages({}, {});
  REQUIRE(empty.size() == 1);
  RangePages pages;
  REQUIRE_FALSE(pages.take(1, 2, empty[0]));
  REQUIRE_FALSE(pages.take(0, 0, empty[0]));
  REQUIRE_FALSE(pages.take(0, kRangePagesMax + 1, empty[0]));
  REQUIRE_FALSE(pages.take(0, 2, "few"));
  REQUIRE_FALSE(pages.take(1, 2, empty[0]));
  REQUIRE_FALSE(pages.take(0, 2, empty[0]));
  REQUIRE_FALSE(pages.take(0, 2, empty[0]));  // Sent again: it begins anew.
  REQUIRE(pages.take(1, 2, empty[0]));
}
