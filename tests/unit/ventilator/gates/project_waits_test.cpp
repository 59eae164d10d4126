#include "ventilator/core/gates/project_waits.hpp"

#include "tests/unit/ventilator/gates/gate_rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

Conditions after(const std::vector<std::string>& projects) {
  Conditions conditions;
  for (const auto& project : projects)
    protocol::put_parent(conditions.parents, {.project = project});
  return conditions;
}
Why why(const std::string& code, const std::string& project) {
  return {code, (code == "skipped" ? "skipped: project " : "project ") + project +
                    ", which it waits for, has tasks that were not done"};
}

/// The gate, and what it reads of projects and classes.
struct WaitRig {
  Projects projects;
  TaskClasses classes;
  GateRig<ProjectWaits> rig{ProjectWaits(projects, classes)};

  void accept(const std::string& project, Seq first, std::uint64_t count) {
    classes.put(first, count, protocol::encode_class({"work", project}));
  }
  /// One of a project's tasks ended, and then what the core says of it.
  Released& end(Seq seq, TaskState state = TaskState::kDone) {
    rig.settle(seq, state);
    std::vector<ClassId> gone;
    std::vector<EndedTasks> ended;
    SeqRanges settled;
    classes.settle(seq, seq, settled, gone, &ended);
    rig.out = {};
    for (const auto& tasks : ended) {
      if (state != TaskState::kDone) projects.add_not_done(tasks.project, seq);
      rig.gate.on_tasks_ended(tasks, rig.out);
    }
    return rig.out;
  }
  Released& close(const std::string& project) {
    auto closed = *projects.find(project);
    closed.is_closed = true;
    projects.put(project, closed);
    rig.out = {};
    rig.gate.on_over(project, rig.out);
    return rig.out;
  }
};

}  // namespace

TEST_CASE("of a project that nobody opened its tasks before are waited for", "[gates]") {
  WaitRig all;
  auto& rig = all.rig;
  rig.introduce();
  all.projects.put("a", {});
  all.accept("a", 1, 2);
  REQUIRE_FALSE(rig.enter(3, {}));
  REQUIRE_FALSE(rig.enter(3, after({"unknown"})));
  REQUIRE(rig.enter(3, after({"a"})));
  all.accept("a", 4, 1);
  REQUIRE(rig.enter(5, after({"a"})));
  REQUIRE(rig.out == kNothing);
  REQUIRE(rig.gate.waits_for("a"));
  REQUIRE(rig.gate.why(3, rig.moment) ==
          Why{"project", "waits for project a's tasks that were accepted before it"});
  std::vector<Seq> behind;
  rig.gate.waiters_of(2, "a", 9, behind);
  rig.gate.waiters_of(4, "a", 9, behind);
  REQUIRE(behind == std::vector<Seq>{3, 5, 5});
  REQUIRE(all.end(2) == kNothing);
  REQUIRE(all.end(1) == let_go({3}));
  REQUIRE(all.end(4) == let_go({5}));
  REQUIRE(rig.gate.is_empty());
  REQUIRE(rig.enter(6, after({"a"})) == false);  // All of it has ended.
  REQUIRE(rig.out == let_go({6}));
}

TEST_CASE("of a project that was opened its end is waited for, by who came then", "[gates]") {
  WaitRig all;
  auto& rig = all.rig;
  rig.introduce();
  all.projects.put("a", {.is_opened = true, .opened_after = 2});
  all.accept("a", 1, 1);
  REQUIRE(rig.enter(2, after({"a"})));
  REQUIRE(rig.enter(3, after({"a"})));
  REQUIRE(rig.gate.why(3, rig.moment) ==
          Why{"project", "waits for project a to be closed and over"});
  REQUIRE(all.end(1) == let_go({2}));
  REQUIRE(all.close("a") == let_go({3}));
  REQUIRE(rig.gate.is_empty());
}

TEST_CASE("a project with a task that was not done ends who waits, as they asked", "[gates]") {
  WaitRig all;
  auto& rig = all.rig;
  rig.introduce();
  all.projects.put("a", {});
  all.projects.put("b", {});
  all.accept("a", 1, 2);
  all.accept("b", 3, 1);
  rig.enter(4, after({"a", "b"}));
  rig.enter(5, after({"a"}), OnParentFailure::kSkip);
  rig.enter(6, after({"a"}), OnParentFailure::kRun);
  auto expected = ended(4, TaskState::kFailed, why("parent_failed", "a"));
  expected.ended.push_back({5, TaskState::kCancelled, why("skipped", "a")});
  REQUIRE(all.end(1, TaskState::kDead) == expected);
  REQUIRE(all.end(3) == kNothing);
  REQUIRE(all.end(2) == let_go({6}));
}

TEST_CASE("who waits for several projects waits for all of them", "[gates]") {
  WaitRig all;
  auto& rig = all.rig;
  rig.introduce();
  all.projects.put("a", {});
  all.projects.put("b", {});
  all.accept("a", 1, 1);
  all.accept("b", 2, 1);
  rig.enter(3, after({"a", "b"}));
  rig.enter(4, after({"a", "b"}));
  REQUIRE(all.end(1) == kNothing);
  REQUIRE(rig.end(3, TaskState::kCancelled) == kNothing);  // It waits no more.
  REQUIRE(all.end(2) == let_go({4}));
}

TEST_CASE("at a start nobody is let go before it is known what had ended", "[gates]") {
  WaitRig all;
  auto& rig = all.rig;
  all.projects.put("a", {});
  all.projects.put("b", {});
  all.accept("a", 1, 1);
  all.accept("b", 2, 1);
  REQUIRE(rig.enter(3, after({"a"})));
  REQUIRE(rig.enter(4, after({"b"})));
  REQUIRE(all.end(1) == kNothing);
  REQUIRE(rig.introduce() == let_go({3}));
  REQUIRE(rig.introduce() == kNothing);
  REQUIRE(all.end(2) == let_go({4}));
}
