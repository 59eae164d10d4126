#include "sink/core/readers.hpp"

#include <catch2/catch.hpp>

#include "sink/core/retention.hpp"

using namespace eole;
using namespace eole::sink;

namespace {

const TimePoint kNow = TimePoint(100s);

/// Origins that have tasks under way.
Origins origins_of(const std::vector<Origin>& names) {
  Origins origins;
  for (const auto name : names) origins.load({name, 1, 9, 10, {}});
  return origins;
}

OldSegment old_segment() {
  OldSegment segment;
  segment.end = 50;
  segment.needed_from = 50;
  segment.log_bytes = 1000;
  segment.unix_ms = 31LL * 86'400'000;
  segment.ended_unix_ms = 2LL * 86'400'000;
  return segment;
}

constexpr Retention kKeep{30, 1000};

}  // namespace

TEST_CASE("the log is kept from where the slowest ventilator with tasks under way has read it",
          "[retention]") {
  auto origins = origins_of({5, 6, 7});
  Readers readers(kNow);
  REQUIRE(readers.needed_from(origins, 90, kNow) == 0);  // Nobody was heard yet.
  readers.hear(5, 40, kNow);
  readers.hear(6, 30, kNow);
  REQUIRE(readers.needed_from(origins, 90, kNow) == 0);
  readers.hear(7, 60, kNow);
  REQUIRE(readers.needed_from(origins, 90, kNow) == 30);
  origins.settle(6, {1, 10},
                 protocol::TaskState::kDone);  // Nothing of it is under way: it needs nothing.
  REQUIRE(readers.needed_from(origins, 90, kNow) == 40);
  readers.hear(5, 80, kNow);
  REQUIRE(readers.needed_from(origins, 90, kNow) == 60);
  REQUIRE(readers.needed_from(Origins{}, 90, kNow) == 90);
}

TEST_CASE("a ventilator that is gone for good does not hold the log for ever", "[retention]") {
  const auto origins = origins_of({5, 6});
  Readers readers(kNow);
  readers.hear(5, 40, kNow + 10s);
  REQUIRE(readers.needed_from(origins, 90, kNow + kReaderGone - 1s) == 0);
  REQUIRE(readers.gone(origins, kNow + kReaderGone - 1s).empty());
  REQUIRE(readers.needed_from(origins, 90, kNow + kReaderGone) == 40);
  REQUIRE(readers.gone(origins, kNow + kReaderGone) == std::vector<Origin>{6});
  REQUIRE(readers.needed_from(origins, 90, kNow + kReaderGone + 10s) == 90);
  readers.hear(5, 85, kNow + kReaderGone + 20s);
  REQUIRE(readers.needed_from(origins, 90, kNow + kReaderGone + 20s) == 85);
}

TEST_CASE("a segment goes when it is too old, or the log too large, or the disk full",
          "[retention]") {
  REQUIRE_FALSE(is_to_drop(old_segment(), kKeep));
  auto segment = old_segment();
  segment.ended_unix_ms -= 86'400'000;
  REQUIRE(is_to_drop(segment, kKeep));
  segment.unix_ms = 0;  // The clock went back.
  REQUIRE_FALSE(is_to_drop(segment, kKeep));
  segment = old_segment();
  segment.log_bytes = 1001;
  REQUIRE(is_to_drop(segment, kKeep));
  segment = old_segment();
  segment.is_disk_full = true;
  REQUIRE(is_to_drop(segment, kKeep));
}

TEST_CASE("a segment that somebody needs stays, whatever it costs", "[retention]") {
  auto segment = old_segment();
  segment.needed_from = 49;
  segment.log_bytes = 1'000'000;
  segment.is_disk_full = true;
  segment.ended_unix_ms = 0;
  REQUIRE_FALSE(is_to_drop(segment, kKeep));
}
