#include "sink/core/under_way.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::sink;
using protocol::TaskState;
using Done = std::map<std::string, double, std::less<>>;

namespace {

struct Heard {
  Heard() { origins.load({5, 1, 9, UnderWay::kTasksMax + 1, {}}); }
  void hear(const TaskId& id, std::string_view project, std::uint64_t done, std::uint64_t total) {
    tasks.hear(id, project, done, total, origins);
  }
  Done done() const { return tasks.done(origins); }
  Origins origins;
  UnderWay tasks;
};

}  // namespace

TEST_CASE("how far the tasks of a project are is what those say that have not ended", "[sink]") {
  Heard heard;
  heard.hear({5, 1}, "p", 1, 4);
  heard.hear({5, 1}, "p", 2, 4);
  heard.hear({5, 2}, "p", 9, 4);  // More than all.
  heard.hear({5, 3}, "q", 1, 4);
  heard.hear({5, 4}, "q", 7, 0);  // Nobody knows how much that is.
  heard.hear({5, 5}, "", 1, 2);
  REQUIRE(heard.done() == Done{{"p", 1.5}, {"q", 0.25}});
  heard.tasks.forget(5, 2, 2);
  REQUIRE(heard.done() == Done{{"p", 0.5}, {"q", 0.25}});
  heard.origins.settle(5, {1, 1}, TaskState::kDone);
  REQUIRE(heard.done() == Done{{"q", 0.25}});
}

TEST_CASE("what a task says that nobody gave out, or that has ended, is not heard", "[sink]") {
  Heard heard;
  heard.origins.settle(5, {1, 1}, TaskState::kDone);
  heard.hear({5, 1}, "p", 1, 4);  // Behind its result.
  heard.hear({5, 0}, "p", 1, 4);
  heard.hear({5, UnderWay::kTasksMax + 2}, "p", 1, 4);
  heard.hear({6, 1}, "p", 1, 4);  // Of no ventilator.
  REQUIRE(heard.tasks.done({}).empty());
}

TEST_CASE("of too many tasks that say how far they are the lowest is forgotten", "[sink]") {
  Heard heard;
  for (Seq seq = 1; seq <= UnderWay::kTasksMax + 1; ++seq)
    heard.hear({5, seq}, seq == 1 ? "first" : "p", 1, 1);
  REQUIRE(heard.done() == Done{{"p", UnderWay::kTasksMax}});
}
