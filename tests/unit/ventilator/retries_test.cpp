#include "ventilator/core/retries.hpp"

#include <catch2/catch.hpp>

using namespace eole::ventilator;

TEST_CASE("attempts that are used up end a task; only a feared one's last runs alone",
          "[ventilator]") {
  REQUIRE(decide(0, 5, true) == Fate::kAgain);
  REQUIRE(decide(3, 5, true) == Fate::kAgain);
  REQUIRE(decide(4, 5, true) == Fate::kAlone);
  REQUIRE(decide(4, 5, false) == Fate::kAgain);
  REQUIRE(decide(5, 5, true) == Fate::kDead);
  REQUIRE(decide(1, 1, false) == Fate::kDead);
}
