#include "tests/simulation/watchdog.hpp"

#include <atomic>
#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::simulation;

TEST_CASE("a seed without end is told; one that waits for the processor is not", "[simulation]") {
  constexpr auto kMost = 100ms;
  std::atomic<int> told = 0;
  Watchdog watchdog(kMost, [&](const std::string& why) {
    if (why.find("seed 5 (number 2): an event without end") != 0) return;
    ++told;
  });
  watchdog.begin(5, 2, "again");
  std::this_thread::sleep_for(3 * kMost);  // As if others had the processor.
  watchdog.look();
  REQUIRE(told == 0);
  while (told == 0) watchdog.look();
  watchdog.end(5);
  told = 0;
  watchdog.look();
  REQUIRE(told == 0);
}
