#include "ventilator/core/gates/joins.hpp"

#include "common/base/text.hpp"
#include "tests/unit/ventilator/gates/gate_rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

Conditions after(Seq first, std::uint32_t count = 1) {
  Conditions conditions;
  protocol::put_parent(conditions.parents, {.id = {kOrigin, first}, .count = count});
  return conditions;
}
Conditions back(std::uint32_t back, std::uint32_t count = 1) {
  Conditions conditions;
  protocol::put_parent(conditions.parents, {.back = back, .count = count});
  return conditions;
}
Why why(const std::string& code, Seq parent, const std::string& state) {
  return {code,
          text(code == "skipped" ? "skipped: " : "", to_text(TaskId{kOrigin, parent}),
               ", which it waits for, was not done: ", state),
          0,
          {parent}};
}
GateRig<Joins> joins() { return {Joins(kOrigin)}; }

}  // namespace

TEST_CASE("a task waits until all of its parents are done", "[gates]") {
  auto rig = joins();
  REQUIRE_FALSE(rig.enter(3, {}));
  REQUIRE(rig.enter(4, after(1, 2)));
  REQUIRE(rig.enter(5, back(2)));
  REQUIRE(rig.out == kNothing);
  REQUIRE(rig.gate.edges() == 3);
  REQUIRE(rig.gate.why(4, rig.moment) == Why{"parents", "it waits for 2 tasks to end"});
  REQUIRE(rig.end(1) == kNothing);
  REQUIRE(rig.gate.why(4, rig.moment) == Why{"parents", "it waits for 1 task to end"});
  REQUIRE(rig.end(3) == let_go({5}));
  REQUIRE(rig.end(2) == let_go({4}));
  REQUIRE_FALSE(rig.gate.why(4, rig.moment));
  REQUIRE(rig.gate.edges() == 0);
}

TEST_CASE("a parent that was not done ends its children, as they asked, once", "[gates]") {
  auto rig = joins();
  rig.enter(3, after(1, 2));
  rig.enter(4, after(1, 2), OnParentFailure::kSkip);
  rig.enter(5, after(1, 2), OnParentFailure::kRun);
  auto expected = ended(4, TaskState::kCancelled, why("skipped", 1, "dead"));
  expected.ended.push_back({3, TaskState::kFailed, why("parent_failed", 1, "dead")});
  REQUIRE(rig.end(1, TaskState::kDead) == expected);
  REQUIRE(rig.end(2, TaskState::kDead) == let_go({5}));
}

TEST_CASE("a parent that had ended before is waited for no more, and counts as it ended",
          "[gates]") {
  auto rig = joins();
  rig.settle(1, TaskState::kDone);
  rig.settle(2, TaskState::kCancelled);
  REQUIRE_FALSE(rig.enter(4, after(1)));
  REQUIRE_FALSE(rig.enter(5, after(1, 2), OnParentFailure::kRun));
  REQUIRE(rig.out == kNothing);
  REQUIRE(rig.enter(6, after(1, 3)));
  REQUIRE(rig.out == ended(6, TaskState::kFailed, why("parent_failed", 2, "cancelled")));
  REQUIRE(rig.end(3, TaskState::kDead) == kNothing);  // It has ended already.
  REQUIRE(rig.gate.edges() == 0);
}

TEST_CASE("what ended before is waited for until it is known how", "[gates]") {
  auto rig = joins();
  rig.is_known = false;
  rig.settle(1, TaskState::kDone);
  rig.settle(2, TaskState::kFailed);
  REQUIRE(rig.enter(5, after(1)));
  REQUIRE(rig.enter(6, after(2)));
  REQUIRE(rig.enter(7, after(3)));
  REQUIRE(rig.out == kNothing);
  REQUIRE(rig.end(1) == kNothing);
  auto expected = let_go({5});
  expected.ended.push_back({6, TaskState::kFailed, why("parent_failed", 2, "failed")});
  REQUIRE(rig.introduce() == expected);
  REQUIRE(rig.end(3) == let_go({7}));
}

TEST_CASE("a child that ended is let go no more, and its room is used again", "[gates]") {
  auto rig = joins();
  rig.enter(3, after(1, 2));
  std::vector<Seq> behind;
  rig.gate.waiters_of(1, "", 9, behind);
  REQUIRE(behind == std::vector<Seq>{3});
  REQUIRE(rig.end(3, TaskState::kCancelled) == kNothing);
  rig.gate.waiters_of(1, "", 9, behind);
  REQUIRE(behind == std::vector<Seq>{3});
  REQUIRE(rig.end(1) == kNothing);
  rig.enter(4, after(2));
  rig.gate.waiters_of(2, "", 0, behind);
  REQUIRE(behind.size() == 1);
  REQUIRE(rig.gate.edges() == 2);
  REQUIRE(rig.end(2) == let_go({4}));
  REQUIRE(rig.gate.edges() == 0);
}
