#include "sink/core/failures.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;

namespace {

Failures through_a_checkpoint(const Failures& failures) {
  Failures loaded;
  SavePlace place{Part::kFailures, 0, 0};
  while (true) {
    Bytes record;
    failures.save(place, record);
    if (record.empty()) return loaded;
    REQUIRE(loaded.load(record));
  }
}

}  // namespace

TEST_CASE("a failure is news once, and an earlier one never after a later one", "[failures]") {
  Failures failures;
  REQUIRE(failures.take({5, 1}, {1, 10}));
  REQUIRE_FALSE(failures.take({5, 1}, {1, 10}));
  REQUIRE_FALSE(failures.take({5, 1}, {1, 9}));
  REQUIRE(failures.take({5, 1}, {2, 1}));  // Of a later start.
  REQUIRE(failures.take({5, 2}, {1, 10}));
}

TEST_CASE("what is settled has no failures any more, its neighbours have", "[failures]") {
  Failures failures;
  for (Seq seq = 1; seq <= 5; ++seq) failures.take({5, seq}, {1, seq});
  failures.take({6, 3}, {1, 3});
  failures.forget(5, 2, 4);
  for (const Seq seq : {1, 5}) REQUIRE(failures.has({5, seq}));
  for (const Seq seq : {2, 3, 4}) REQUIRE_FALSE(failures.has({5, seq}));
  REQUIRE(failures.has({6, 3}));
}

TEST_CASE("failures of more than a record come back from a checkpoint", "[failures]") {
  Failures failures;
  for (Origin origin = 1; origin <= 3; ++origin)
    for (Seq seq = 1; seq <= 3000; ++seq) failures.take({origin, seq}, {1, seq});
  auto loaded = through_a_checkpoint(failures);
  for (Origin origin = 1; origin <= 3; ++origin)
    for (Seq seq = 1; seq <= 3000; ++seq) {
      REQUIRE_FALSE(loaded.take({origin, seq}, {1, seq}));
      REQUIRE(loaded.take({origin, seq}, {1, seq + 1}));
    }
}
