#include "ventilator/core/project_counts.hpp"

#include "rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

/// The parts that are counted in, without what moves tasks in them.
struct Parts {
  TaskClasses classes;
  Projects projects;
  Tasks tasks;
  Gates gates{kOrigin, projects, classes};
  Fleet fleet{Config{}, kStart};
  ProjectCounts counts{classes, projects, tasks, gates, fleet};
  Seq last = 0;

  ClassId accept(const std::string& project, std::uint32_t count, bool is_conditional = false) {
    const auto first = last + 1;
    last += count;
    return classes.put(first, count, protocol::encode_class({"work", project}), is_conditional);
  }
  void worker(RunId run) {
    protocol::Hello hello;
    hello.name = "w" + std::to_string(run);
    fleet.put(Worker("peer", "key", {1, run, 1}, hello, {}, kStart), {}, kStart);
  }
};

// Name, waiting, queued, running, and whether more is known.
using Row = std::tuple<std::string, std::uint64_t, std::uint64_t, std::uint64_t, bool>;
Row row(const ProjectView& view) {
  return {view.name, view.waiting, view.queued, view.running, view.known.has_value()};
}
std::vector<Row> rows(const std::vector<ProjectView>& views) {
  std::vector<Row> rows;
  for (const auto& view : views) rows.push_back(row(view));
  return rows;
}

}  // namespace

TEST_CASE("a task counts in its project, once, where it is", "[projects]") {
  Parts parts;
  const auto id = parts.accept("acme/a", 6);  // 1 to 6.
  parts.accept("acme/b", 2, true);            // 7 and 8, of which 8 waits at a gate.
  parts.accept("other", 1);
  parts.projects.put("acme/c", {.is_opened = true});
  auto& tasks = parts.tasks;
  tasks.lease(tasks.at(1), 7, {1, 1}, id);
  tasks.lease(tasks.at(2), 7, {1, 2}, id);
  tasks.suspect(tasks.at(2));
  tasks.wait(tasks.at(3), kStart + 5s);
  tasks.end(tasks.at(4), TaskState::kDead);
  tasks.at(5);  // Came back, and waits for a worker again.
  const SeqRanges settled;
  Released released;
  parts.gates.enter(8, 0, {.delay_ms = 5000}, {}, {kStart, 0}, settled, released);

  REQUIRE(rows(parts.counts.list("", 9, Within("acme/"))) ==
          std::vector<Row>{
              {"acme/a", 1, 2, 3, false}, {"acme/b", 1, 1, 0, false}, {"acme/c", 0, 0, 0, true}});
  REQUIRE(rows(parts.counts.list("acme/a", 1, {})) == std::vector<Row>{{"acme/b", 1, 1, 0, false}});
  REQUIRE(row(parts.counts.sum(Within("acme/"))) == Row{"", 2, 3, 3, false});
  REQUIRE(row(parts.counts.sum({})) == Row{"", 2, 4, 3, false});
  REQUIRE(row(*parts.counts.of("other")) == Row{"other", 0, 1, 0, false});
  REQUIRE(row(*parts.counts.of("acme/c")) == Row{"acme/c", 0, 0, 0, true});
  REQUIRE_FALSE(parts.counts.of("acme/d"));
}

TEST_CASE("of a worker those tasks count that are leased to it, of these projects", "[projects]") {
  Parts parts;
  const auto id = parts.accept("acme/a", 4);
  parts.accept("other", 1);
  parts.worker(7);
  auto& tasks = parts.tasks;
  for (const Seq seq : {1, 2, 5}) tasks.lease(tasks.at(seq), 7, {1, seq}, id);
  tasks.suspect(tasks.at(2));               // No worker's.
  tasks.lease(tasks.at(3), 8, {1, 3}, id);  // A worker that is not there.
  using Held = std::map<std::string, std::uint64_t>;
  REQUIRE(parts.counts.held_by_workers(Within("acme/")) == Held{{"w7", 1}});
  REQUIRE(parts.counts.held_by_workers({}) == Held{{"w7", 2}});
}
