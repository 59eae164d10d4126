#include "tests/simulation/fabric.hpp"

#include <catch2/catch.hpp>

#include "common/process/log.hpp"

using namespace eole;
using namespace eole::simulation;

TEST_CASE("the same seed is the same run, to the last line of its trace", "[simulation]") {
  process::mute_log();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<std::string> trace;
    const auto once = run_seed(seed, {}, &trace);
    const auto again = run_seed(seed, {}, nullptr);
    REQUIRE(once.violation.empty());
    REQUIRE(again.trace_hash == once.trace_hash);
    REQUIRE(again.steps == once.steps);
    REQUIRE_FALSE(trace.empty());
  }
}

TEST_CASE("a setting of the weather is obeyed, and the rest stays the seed's", "[simulation]") {
  Fabric fabric(5, {{"workers", 1}, {"loss", 0}});
  Fabric as_drawn(5, {});
  REQUIRE(fabric.weather.workers == 1);
  REQUIRE(fabric.weather.loss == 0);
  REQUIRE(fabric.weather.submits == as_drawn.weather.submits);
}
