#include "sink/io/result_log.hpp"

#include <catch2/catch.hpp>

#include "tests/simulation/sim_disk.hpp"

using namespace eole;
using namespace eole::sink;

TEST_CASE("a log with little room left says that it is full, before it is", "[log]") {
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  ResultLog log(*directory, {.segment_bytes = 8192, .entropy = 1});
  REQUIRE_FALSE(log.is_full());
  disk.set_free_bytes(31ULL << 20);
  REQUIRE(log.is_full());
}

TEST_CASE("a journal is not opened as a log", "[log]") {
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  {
    storage::Store journal(*directory, {.entropy = 1}, [](auto, auto, auto) {});
  }
  REQUIRE_THROWS_WITH((ResultLog(*directory, {.entropy = 2})), Catch::Contains("of another store"));
}
