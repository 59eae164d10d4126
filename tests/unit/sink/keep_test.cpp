#include "sink/core/keep.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;

namespace {

constexpr std::int64_t kHour = 60LL * 60 * 1000;
constexpr std::int64_t kDay = 24 * kHour;
constexpr Origin kOrigin = 5;

/// A sink whose time is told in days.
struct Rig {
  Keep keep{0};
  Origins origins;
  Readers readers{TimePoint(0ms)};
  std::vector<Origin> heard{kOrigin};
  bool is_silent = false;
  bool only_asks = false;  // For the log, and says nothing of what it accepted.
  double day = 100;
  double set_by = 0;  // So many days somebody has set the clock forward.
  std::optional<double> oldest;

  Rig() { REQUIRE(origins.introduce({kOrigin, 1, 1, 0, {}})); }
  void announce(Seq highest) { REQUIRE(origins.announce(kOrigin, 1, highest)); }
  void settle(Seq first, Seq last) {
    origins.settle(kOrigin, {first, last}, protocol::TaskState::kDone);
  }
  std::int64_t raw() {
    const auto ms = [](double days) { return static_cast<std::int64_t>(days * kDay); };
    const auto at = TimePoint(std::chrono::milliseconds(ms(day - set_by)));
    if (!is_silent)
      for (const auto origin : heard)
        only_asks ? readers.hear(origin, 0, at) : readers.hear_numbers(origin, 0, at);
    return keep.superfluous_before(at, ms(day), oldest ? std::optional(ms(*oldest)) : std::nullopt,
                                   origins, readers);
  }
  /// In days.
  double look() { return static_cast<double>(raw()) / kDay; }
};

}  // namespace

TEST_CASE("what nobody put or named for a day is superfluous, unless a result may name it",
          "[keep]") {
  Rig rig;
  REQUIRE(rig.look() == 99);
  rig.oldest = 90;
  REQUIRE(rig.look() == 89);
  rig.oldest = 99.5;
  REQUIRE(rig.look() == 98.5);
  rig.oldest = 150;  // A worker's clock.
  REQUIRE(rig.look() == 99);
}

TEST_CASE("what was kept when a task came is kept until it is settled", "[keep]") {
  Rig rig;
  rig.oldest = 95;  // A result names what the task needs, and nobody put it again.
  rig.look();
  rig.announce(3);
  REQUIRE(rig.look() == 94);
  rig.day = 110;
  rig.oldest = 109;
  rig.settle(1, 2);
  REQUIRE(rig.look() == 94);
  rig.settle(3, 3);
  REQUIRE(rig.look() == 108);
}

TEST_CASE("a task that waits for long does not keep for ever what others needed", "[keep]") {
  Rig rig;
  rig.look();
  rig.announce(1);
  REQUIRE(rig.look() == 99);
  for (Seq seq = 2; seq <= 1000; ++seq) {  // All are settled but the first one and the last one.
    rig.day += 0.5;
    rig.look();
    rig.announce(seq);
    rig.look();
    if (seq < 1000) rig.settle(seq, seq);
  }
  REQUIRE(rig.look() == 99);
  rig.settle(1, 1);
  REQUIRE(rig.look() == rig.day - 1);
}

TEST_CASE("many tasks of all ages cost a bounded number of marks, and none is forgotten",
          "[keep]") {
  Rig rig;
  rig.look();
  for (Seq seq = 1; seq <= 5000; ++seq) {
    rig.announce(seq);
    rig.day += 0.25;
    rig.look();
  }
  rig.settle(1, 4999);
  // It is among those that found no mark of their own, and has an older one's.
  REQUIRE(rig.look() <= 100 + 0.25 * 5000 - 1);
  rig.settle(5000, 5000);
  REQUIRE(rig.look() == rig.day - 1);
}

TEST_CASE("nothing goes while tasks of an unknown age are not settled", "[keep]") {
  Rig rig;
  rig.announce(7);  // The first that this sink hears of it.
  REQUIRE(rig.raw() == kAllKept);
  rig.announce(8);
  rig.day += 30;
  rig.settle(1, 6);
  REQUIRE(rig.raw() == kAllKept);
  rig.settle(7, 7);
  REQUIRE(rig.look() < 130);
  REQUIRE(rig.look() > 98);
  rig.settle(8, 8);
  REQUIRE(rig.look() == 129);
}

TEST_CASE("who only asks for the log may have accepted tasks that nobody knows", "[keep]") {
  Rig rig;
  rig.only_asks = true;
  REQUIRE(rig.raw() == kAllKept);
  rig.only_asks = false;
  rig.announce(7);  // What these need is as old as they are.
  REQUIRE(rig.raw() == kAllKept);
  rig.settle(1, 7);
  REQUIRE(rig.look() == 99);
}

TEST_CASE("a ventilator that the log knows is awaited for a week", "[keep]") {
  Rig rig;
  rig.origins.load({9, 1, 1, 10, {}});
  REQUIRE(rig.raw() == kAllKept);
  rig.day += 6;
  REQUIRE(rig.raw() == kAllKept);
  rig.day += 1;
  REQUIRE(rig.look() == 106);
}

TEST_CASE("a clock that is set back makes nothing superfluous, and nothing older", "[keep]") {
  Rig rig;
  REQUIRE(rig.look() == 99);
  rig.day = 50;
  rig.set_by = -50;
  REQUIRE(rig.look() == 99);
  REQUIRE(rig.keep.unix_ms() == 100 * kDay);
}

TEST_CASE("what is put before any ventilator has spoken is kept for the first one", "[keep]") {
  Rig rig;
  rig.origins = Origins();
  rig.look();
  rig.day += 6;
  REQUIRE(rig.raw() == kAllKept);
  REQUIRE(rig.origins.introduce({kOrigin, 1, 1, 0, {}}));
  REQUIRE(rig.look() == 105);
}

TEST_CASE("a clock that is set forward takes nothing from a task that came before", "[keep]") {
  Rig rig;
  rig.announce(1);
  rig.settle(1, 1);
  REQUIRE(rig.look() == 99);
  rig.announce(2);
  rig.day += 300;
  rig.set_by += 300;
  REQUIRE(rig.look() == 99);
  rig.settle(2, 2);
  REQUIRE(rig.look() == 99);
}

TEST_CASE("a clock that is set forward makes nothing older, and a day later it counts", "[keep]") {
  Rig rig;
  REQUIRE(rig.look() == 99);
  rig.day += 0.25;
  REQUIRE(rig.look() == 99.25);
  rig.day += 300;
  rig.set_by += 300;
  REQUIRE(rig.look() == 99.25);
  for (int i = 0; i < 22; ++i) rig.day += 0.05, rig.look();
  REQUIRE(rig.look() > 400);
}

TEST_CASE("what a ventilator may need that is away is kept for a week", "[keep]") {
  Rig rig;
  REQUIRE(rig.look() == 99);
  rig.is_silent = true;
  rig.day += 6;
  REQUIRE(rig.look() == 99);
  rig.is_silent = false;  // It has accepted tasks meanwhile, and says so now.
  rig.announce(5);
  REQUIRE(rig.look() == 99);
  rig.settle(1, 5);
  REQUIRE(rig.look() == 105);
  rig.is_silent = true;
  rig.day += 7;
  REQUIRE(rig.look() == 112);
}
