#include "sink/core/copies.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using sink::Copies;

TEST_CASE("the end of another copy is told from one that comes again", "[sink]") {
  Copies copies;
  CHECK_FALSE(copies.is_other({5, 1}, {1, 7}));  // It has not ended.
  copies.remember_end({5, 1}, {1, 7});
  CHECK_FALSE(copies.is_other({5, 1}, {1, 7}));
  CHECK(copies.is_other({5, 1}, {1, 8}));
  copies.remember_copy({5, 1}, {1, 8});
  CHECK_FALSE(copies.is_other({5, 1}, {1, 8}));
}

TEST_CASE("an end is not told to be another where the one that counts is not known", "[sink]") {
  Copies copies;
  copies.remember_copy({5, 1}, {1, 8});
  CHECK_FALSE(copies.is_other({5, 1}, {1, 7}));
}

TEST_CASE("of tasks that ended twice the latest are remembered", "[sink]") {
  Copies copies;
  for (Seq seq = 1; seq <= sink::kCopiedMax + 1; ++seq) copies.remember_end({5, seq}, {1, seq});
  CHECK_FALSE(copies.is_other({5, 1}, {1, 99'999}));
  CHECK(copies.is_other({5, 2}, {1, 99'999}));
}
