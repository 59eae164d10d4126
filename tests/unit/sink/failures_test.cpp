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

TEST_CASE("a failure is news once a lease, that of a straggler behind its copy's too",
          "[sink][failures]") {
  Failures failures;
  REQUIRE(failures.take({5, 1}, {1, 10}));
  REQUIRE_FALSE(failures.take({5, 1}, {1, 10}));
  REQUIRE(failures.take({5, 1}, {1, 9}));
  REQUIRE_FALSE(failures.take({5, 1}, {1, 10}));
  REQUIRE_FALSE(failures.take({5, 1}, {1, 9}));
  REQUIRE(failures.take({5, 1}, {2, 1}));  // Of a later start.
  for (const Lease lease : {Lease{1, 9}, Lease{1, 10}, Lease{2, 1}})
    REQUIRE_FALSE(failures.take({5, 1}, lease));
  REQUIRE(failures.take({5, 2}, {1, 10}));
}

TEST_CASE("of a task's failures the latest are known, and no other is news again",
          "[sink][failures]") {
  Failures failures;
  constexpr std::uint64_t kLast = kFailedLeasesMax + 3;
  for (std::uint64_t number = 2; number <= kLast; ++number)
    REQUIRE(failures.take({5, 1}, {1, number}));
  auto loaded = through_a_checkpoint(failures);
  for (std::uint64_t number = 1; number <= kLast; ++number)
    for (auto* known : {&failures, &loaded}) REQUIRE_FALSE(known->take({5, 1}, {1, number}));
  REQUIRE(loaded.take({5, 1}, {1, kLast + 1}));
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
    for (Seq seq = 1; seq <= 3000; ++seq)
      for (const std::uint32_t start : {1, 2}) failures.take({origin, seq}, {start, seq});
  auto loaded = through_a_checkpoint(failures);
  for (Origin origin = 1; origin <= 3; ++origin)
    for (Seq seq = 1; seq <= 3000; ++seq) {
      for (const std::uint32_t start : {1, 2})
        REQUIRE_FALSE(loaded.take({origin, seq}, {start, seq}));
      REQUIRE(loaded.take({origin, seq}, {1, seq + 1}));
    }
}
