#include "ventilator/core/stragglers.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

const TimePoint kNow = TimePoint(1000s);
const protocol::TaskClass kClass{"work"};
const protocol::TaskClass kOther{"other"};
const auto anyone = [](Seq, ClassId) { return true; };

}  // namespace

TEST_CASE("a straggler has run for twice the usual time of its class, and a while",
          "[ventilator]") {
  Stragglers stragglers(1s);
  REQUIRE(stragglers.is_empty());
  for (const Seq seq : {1, 2, 3, 4, 5}) stragglers.on_leased(seq, 7, kClass, kNow);
  stragglers.on_done(1, 7, kNow + 1s);
  stragglers.on_done(2, 7, kNow + 2s);
  REQUIRE(stragglers.limit(7) == std::nullopt);  // Of two nothing can be said.
  stragglers.on_done(3, 7, kNow + 90s);          // One that was late is not what is usual.
  REQUIRE(stragglers.limit(7) == 5s);
  REQUIRE(stragglers.find(kNow + 5s, anyone) == std::nullopt);
  REQUIRE(stragglers.find(kNow + 6s, [](Seq seq, ClassId) { return seq == 5; }) == Seq{5});
  stragglers.on_done(4, 7, kNow + 6s);
  REQUIRE(stragglers.find(kNow + 16s, anyone) == Seq{5});
  stragglers.forget(7);
  REQUIRE(stragglers.is_empty());
}

TEST_CASE("what has run the longest comes first, and only the last few say what is usual",
          "[ventilator]") {
  Stragglers stragglers(0s);
  for (Seq seq = 1; seq <= 100; ++seq) {
    stragglers.on_leased(seq, 1, kClass, kNow);
    stragglers.on_done(seq, 1, kNow + (seq <= 50 ? 60s : 1s));
  }
  REQUIRE(stragglers.limit(1) == 2s);
  stragglers.on_leased(101, 1, kClass, kNow + 2s);
  stragglers.on_leased(102, 1, kClass, kNow + 1s);
  stragglers.on_leased(103, 2, kOther, kNow);  // Nobody knows what is usual there.
  REQUIRE(stragglers.find(kNow + 9s, anyone) == Seq{102});
}

TEST_CASE("what was given up says nothing of what is usual, and is late no more", "[ventilator]") {
  Stragglers stragglers(0s);
  for (const Seq seq : {1, 2, 3, 4, 5}) stragglers.on_leased(seq, 1, kClass, kNow);
  stragglers.on_given_up(4, 1);
  for (const Seq seq : {1, 2, 3, 4}) stragglers.on_done(seq, 1, kNow + 1s);
  stragglers.on_given_up(5, 1);
  REQUIRE(stragglers.limit(1) == 2s);
  REQUIRE(stragglers.find(kNow + 9s, anyone) == std::nullopt);
}

TEST_CASE("what is usual is known of a class that has a task again, of so many classes",
          "[ventilator]") {
  Stragglers stragglers(0s);
  for (const Seq seq : {1, 2, 3}) {  // One after the other: the class is empty in between.
    stragglers.on_leased(seq, 1, kClass, kNow);
    stragglers.on_done(seq, 1, kNow + 1s);
    stragglers.forget(1);
  }
  stragglers.on_leased(4, 1, kOther, kNow);  // Of another class, with an id that was free.
  stragglers.on_leased(5, 2, kClass, kNow);
  REQUIRE(stragglers.limit(1) == std::nullopt);
  REQUIRE(stragglers.limit(2) == 2s);
  REQUIRE(stragglers.find(kNow + 3s, anyone) == Seq{5});
  stragglers.on_done(5, 2, kNow + 1s);
  stragglers.forget(2);
  for (std::size_t i = 0; i < Stragglers::kEmptiedMax; ++i) {
    const protocol::TaskClass another{"work", text("p", i)};
    stragglers.on_leased(6, 2, another, kNow);
    stragglers.on_done(6, 2, kNow + 1s);
    stragglers.forget(2);
  }
  stragglers.on_leased(7, 2, kClass, kNow);
  REQUIRE(stragglers.limit(2) == std::nullopt);
}
