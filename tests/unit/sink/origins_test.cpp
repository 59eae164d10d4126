#include "sink/core/origins.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;

TEST_CASE("an introduction is news once for each start", "[sink]") {
  Origins origins;
  REQUIRE_FALSE(origins.is_introduced(5));
  REQUIRE(*origins.introduce({5, 1, 100, 50, {}}));
  REQUIRE(origins.is_introduced(5));
  REQUIRE_FALSE(*origins.introduce({5, 1, 100, 60, {}}));
  REQUIRE(*origins.introduce({5, 2, 200, 60, {}}));
  REQUIRE_FALSE(origins.introduce({5, 1, 100, 60, {}}));
}

TEST_CASE("what a ventilator knew to be settled counts as settled", "[sink]") {
  Origins origins;
  SeqRanges settled;
  settled.add(1, 10);
  REQUIRE(origins.introduce({5, 1, 100, 50, settled}));
  origins.settled(5).add(8, 12);
  REQUIRE(origins.is_settled({5, 12}));
  REQUIRE_FALSE(origins.is_settled({5, 13}));
  REQUIRE_FALSE(origins.is_settled({6, 1}));
  REQUIRE(origins.settled_count() == 12);
}
