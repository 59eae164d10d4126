#include "ventilator/core/verdicts.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;
using Seqs = std::vector<Seq>;

namespace {
const TimePoint kNow = TimePoint(100s);
}

TEST_CASE("a verdict goes at once, and again until it is read in the log", "[ventilator]") {
  Verdicts verdicts(1s);
  verdicts.add(4);
  verdicts.add(2);
  REQUIRE(verdicts.take_due(kNow) == Seqs{2, 4});
  REQUIRE(verdicts.take_due(kNow + 500ms) == Seqs{});
  verdicts.add(3);
  REQUIRE(verdicts.take_due(kNow + 500ms) == Seqs{3});
  verdicts.settle(2);
  REQUIRE(verdicts.next_deadline() == kNow + 1s);
  REQUIRE(verdicts.take_due(kNow + 1s) == Seqs{3, 4});
  verdicts.settle(3), verdicts.settle(4);
  REQUIRE(verdicts.next_deadline() == std::nullopt);
}

TEST_CASE("one that is settled within its turn is not pushed", "[ventilator]") {
  Verdicts verdicts(1s);
  verdicts.add(4);
  verdicts.settle(4);
  REQUIRE(verdicts.take_due(kNow).empty());
}

TEST_CASE("another log is pushed all of them at once", "[ventilator]") {
  Verdicts verdicts(1s);
  verdicts.add(4);
  verdicts.take_due(kNow);
  verdicts.push_again();
  REQUIRE(verdicts.take_due(kNow + 1ms) == Seqs{4});
}

TEST_CASE("a sink that is away has a bounded number of verdicts under way", "[ventilator]") {
  Verdicts verdicts(1s);
  for (Seq seq = 1; seq <= 3 * kVerdictsPushedMax; ++seq) verdicts.add(seq);
  REQUIRE(verdicts.take_due(kNow).size() == kVerdictsPushedMax);
  REQUIRE(verdicts.take_due(kNow + 500ms).empty());
  REQUIRE(verdicts.take_due(kNow + 1s).size() == kVerdictsPushedMax);
  verdicts.settle(1), verdicts.settle(2);
  REQUIRE(verdicts.take_due(kNow + 1100ms) == Seqs{kVerdictsPushedMax + 1, kVerdictsPushedMax + 2});
}
