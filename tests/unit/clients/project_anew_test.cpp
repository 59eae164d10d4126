#include "clients/cpp/tasks/project_anew.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"
#include "common/protocol/another.hpp"

using namespace eole;
using namespace eole::client;

namespace {

constexpr Origin kOrigin = 5;
TaskId id(Seq seq) { return {kOrigin, seq}; }

// 3 and 4 are missing, 4 was tried again by 14; 6 was done anew by 16.
Missing some() {
  Missing missing;
  missing.parts = {{id(3), id(3)}, {id(4), id(14)}};
  missing.part_of = {{id(3), id(3)}, {id(4), id(4)}, {id(6), id(6)}, {id(14), id(4)}};
  missing.done = {{id(6), id(16)}};
  return missing;
}

std::string waits_for(const std::vector<protocol::Parent>& parents) {
  protocol::Conditions conditions;
  for (const auto& parent : parents) protocol::put_parent(conditions.parents, parent);
  const auto raw = protocol::as_another({"echo", "photos"},
                                        {"\x80", protocol::encode_conditions(conditions)}, id(20));
  const auto task = task_anew(raw, some(), {{id(3), 0}, {id(4), 1}});
  REQUIRE(task);
  CHECK(task->task_class.project == "photos");
  CHECK(task->conditions.instead_of == 20);
  std::string said = task->has_references ? "in place:" : "";
  for (const auto& after : task->after)
    said += after.index              ? text(" #", *after.index)
            : !after.project.empty() ? text(" ", after.project)
                                     : text(" ", after.id.seq, "+", after.count);
  return said;
}

}  // namespace

TEST_CASE("what is done anew waits for who does or did what it waited for", "[retry]") {
  CHECK(waits_for({{id(2), 0, 1, ""}, {id(3), 0, 1, ""}}) == "in place: 2+1 #0");
  CHECK(waits_for({{id(14), 0, 1, ""}, {id(6), 0, 1, ""}, {{}, 0, 1, "p"}}) ==
        "in place: #1 16+1 p");
  CHECK(waits_for({{id(1), 0, 9, ""}}) == " 1+2 #0 #1 5+1 16+1 7+3");
  CHECK(waits_for({{id(3), 0, 2, ""}}) == " #0 #1");
  CHECK(waits_for({{{kOrigin + 1, 3}, 0, 2, ""}}) == " 3+2");
}

TEST_CASE("what a retry did that did not come to its end is as if it was not there", "[retry]") {
  using protocol::Value;
  const auto told = [](Seq seq, const char* state, Seq of = 0) {
    Value one = Value::Map{{"id", to_text(id(seq))}, {"state", state}};
    if (of != 0) one.set("instead_of", to_text(id(of)));
    return one;
  };
  Missing missing;
  missing.before = id(9);
  const Value page =
      Value::Map{{"parts", Value::Array{told(3, "failed"), told(4, "failed"), told(8, "failed", 4),
                                        told(10, "done", 3), told(11, "failed", 4)}}};
  REQUIRE(missing.add(page));
  missing.finish();
  CHECK(missing.parts == std::map<TaskId, TaskId>{{id(3), id(3)}, {id(4), id(8)}});
  CHECK(missing.done.empty());
}

TEST_CASE("a task that cannot be read is not done anew", "[retry]") {
  CHECK(task_anew("few", some(), {}).error().message == "its task is malformed");
}
