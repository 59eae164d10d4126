#include "sink/core/under_way.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;
using Done = std::map<std::string, double, std::less<>>;

TEST_CASE("how far the tasks of a project are is what those say that have not ended", "[sink]") {
  UnderWay tasks;
  Origins origins;
  tasks.hear({5, 1}, "p", 1, 4);
  tasks.hear({5, 1}, "p", 2, 4);
  tasks.hear({5, 2}, "p", 9, 4);  // More than all.
  tasks.hear({5, 3}, "q", 1, 4);
  tasks.hear({5, 4}, "q", 7, 0);  // Nobody knows how much that is.
  tasks.hear({5, 5}, "", 1, 2);
  REQUIRE(tasks.done(origins) == Done{{"p", 1.5}, {"q", 0.25}});
  tasks.forget({5, 2});
  REQUIRE(tasks.done(origins) == Done{{"p", 0.5}, {"q", 0.25}});
  origins.load({5, 1, 9, 0, {}});
  origins.settle(5, {1, 1}, TaskState::kDone);
  REQUIRE(tasks.done(origins) == Done{{"q", 0.25}});
}

TEST_CASE("of too many tasks that say how far they are the lowest is forgotten", "[sink]") {
  UnderWay tasks;
  for (Seq seq = 1; seq <= UnderWay::kTasksMax + 1; ++seq)
    tasks.hear({5, seq}, seq == 1 ? "first" : "p", 1, 1);
  REQUIRE(tasks.done({}) == Done{{"p", UnderWay::kTasksMax}});
}
