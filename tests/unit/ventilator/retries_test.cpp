#include "ventilator/core/retries.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::ventilator;
using Fate = Decision::Fate;

TEST_CASE("attempts that are used up end a task; only a feared one's last runs alone",
          "[ventilator]") {
  REQUIRE(decide(0, 5, Cause::kReturned, true) == Decision{Fate::kAgain, {}});
  REQUIRE(decide(3, 5, Cause::kLost, true) == Decision{Fate::kAgain, {}});
  REQUIRE(decide(4, 5, Cause::kLost, true) == Decision{Fate::kAlone, {}});
  REQUIRE(decide(4, 5, Cause::kLost, false) == Decision{Fate::kAgain, {}});
  REQUIRE(decide(5, 5, Cause::kLost, true) == Decision{Fate::kDead, {}});
  REQUIRE(decide(1, 1, Cause::kFailed, false) == Decision{Fate::kDead, {}});
  REQUIRE(decide(0, 1, Cause::kReturned, false) == Decision{Fate::kAgain, {}});
  REQUIRE(decide(0, 1, Cause::kReturned, false, 1) == Decision{Fate::kAgain, {}});
  REQUIRE(decide(0, 1, Cause::kReturned, false, 2) == Decision{Fate::kAgain, kPauseFirst});
  REQUIRE(decide(0, 1, Cause::kReturned, false, 60) == Decision{Fate::kAgain, kPauseMax});
}

TEST_CASE("a failed attempt is followed by a pause that doubles up to a minute", "[ventilator]") {
  const auto pause = [](std::uint16_t attempt) {
    return decide(attempt, 255, Cause::kFailed, false).pause;
  };
  REQUIRE(pause(1) == 250ms);
  REQUIRE(pause(2) == 500ms);
  REQUIRE(pause(3) == 1s);
  REQUIRE(pause(8) == 32s);
  REQUIRE(pause(9) == 60s);
  REQUIRE(pause(254) == 60s);
  REQUIRE(decide(4, 5, Cause::kFailed, true) == Decision{Fate::kAlone, 2s});
}
