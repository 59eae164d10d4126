#include "cli/bounds.hpp"

#include <catch2/catch.hpp>

using namespace eole::cli;

TEST_CASE("the rows of the page of bounds are read with their roles", "[cli]") {
  const auto rows = bounds_in(
      "# Bounds\n\n| not `a` row |\n## Sink\n\n| bound | value | of what | beyond it |\n"
      "|---|---|---|---|\n| `kRunsMax` | 7 runs | of one key | forgotten |\n## Worker\n"
      "| `held_max` | 1 MiB | tasks | no credit |\n| `short` | 1 |\n");
  REQUIRE(rows == std::vector<Bound>{{"Sink", "kRunsMax", "7 runs", "of one key", "forgotten"},
                                     {"Worker", "held_max", "1 MiB", "tasks", "no credit"}});
}
