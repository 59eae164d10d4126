#include "common/protocol/task_class.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/records.hpp"

using namespace eole;
using namespace eole::protocol;

namespace {

/// A class as a later release may write it: every field, and one more.
Bytes longer(TaskClass task_class) {
  return Bytes("\xdc\x00\x11", 3) + encode_class(task_class).substr(3) + "\x07";
}

std::vector<std::pair<TaskClass, std::uint32_t>> groups_of(std::string_view payload) {
  std::vector<std::pair<TaskClass, std::uint32_t>> found;
  ByteReader reader(payload);
  while (const auto group = read_task_group(reader))
    found.emplace_back(*decode_class(group->task_class), group->count);
  return found;
}

}  // namespace

TEST_CASE("who reads a class ignores later fields, and says what is wrong with it", "[records]") {
  TaskClass task_class{"echo", "\xff", 7, 1};
  REQUIRE(encode_class(task_class)[0] == '\x96');
  task_class.within = "acme/";
  REQUIRE(*decode_class(longer(task_class)) == task_class);
  task_class.within = "acme//";  // As a journal may have it.
  REQUIRE(decode_class(encode_class(task_class)));
  const auto encoded = encode_class(task_class);
  for (std::size_t size = 0; size < encoded.size(); ++size)
    REQUIRE_FALSE(decode_class(encoded.substr(0, size)));
  REQUIRE(encode_class({"echo"}) == Bytes("\x93\x01\xa5" "class\xa4" "echo"));  // Not said: not there.
  const auto refusal = [](const TaskClass& bad) {
    return decode_class(encode_class(bad)).error().message;
  };
  REQUIRE(refusal({"echo", "", 0, 0, 10}) == "class: priority 10, limits 0 and 9");
  REQUIRE(refusal({"", "p", 0, 0}) == "class: no kind");
  REQUIRE(refusal({"echo", std::string(256, 'x'), 0, 0}) ==
          "class: kind or project of 256 bytes, limit 255");
  REQUIRE(refusal({std::string(2000, 'x'), "", 0, 0}) == "class: 2011 bytes, limit 1024");
}

TEST_CASE("neighbours of one class share a group, in the order given", "[records]") {
  const TaskClass one{"echo", "", 0, 0};
  const TaskClass other{"echo", "", 3, 0};
  TaskGroups groups;
  for (const auto& task_class : {one, one, other, one}) groups.add(task_class, "\x80");
  const auto payload = groups.take();
  REQUIRE(*count_grouped_tasks(payload) == 4);
  REQUIRE(groups_of(payload) == decltype(groups_of(""))({{one, 2}, {other, 1}, {one, 1}}));
  groups.add(one, "\x80");
  REQUIRE(groups_of(groups.take()) == decltype(groups_of(""))({{one, 1}}));
  TaskGroups copied;  // As they were read.
  ByteReader reader(payload);
  while (const auto group = read_task_group(reader)) {
    ByteReader specs(group->specs);
    while (!specs.is_done()) {
      Bytes spec;
      put_task_spec(spec, *read_task_spec(specs));
      copied.add(group->task_class, spec);
    }
  }
  REQUIRE(copied.take() == payload);
}

TEST_CASE("groups that are cut short or lie about their tasks are refused", "[records]") {
  TaskGroups groups;
  groups.add({"echo", "", 0, 0}, "\x80");
  groups.add({"echo", "p", 0, 0}, "\x80");
  const auto payload = groups.take();
  const auto first = TaskGroup::kHeaderBytes + encode_class({"echo", "", 0, 0}).size() + 6;
  for (std::size_t size = 1; size < payload.size(); ++size)
    REQUIRE(static_cast<bool>(count_grouped_tasks(payload.substr(0, size))) == (size == first));
  auto lying = payload;
  lying[4] = 2;
  REQUIRE(count_grouped_tasks(lying).error().message == "group 0 of tasks: says 2, has 1");
  lying[4] = 0;
  REQUIRE(count_grouped_tasks(lying).error().message == "group 0 of tasks: malformed");
}

TEST_CASE("conditions come back as they were given, and bad ones are refused by name", "[records]") {
  Conditions conditions;
  REQUIRE(encode_conditions(conditions).empty());
  conditions.delay_ms = 1500;
  const std::vector<Parent> parents{{{5, 9}}, {{}, 3}, {{5, 9}, 0, 100}, {{}, 0, 1, "photos"}};
  for (const auto& parent : parents) put_parent(conditions.parents, parent);
  REQUIRE(instead_of(encode_conditions(conditions)) == 0);
  conditions.instead_of = 9;
  REQUIRE(instead_of(encode_conditions(conditions)) == 9);
  const auto decoded = decode_conditions(encode_conditions(conditions));
  REQUIRE(*decoded == conditions);
  REQUIRE(*decode_parents(decoded->parents) == parents);
  for (std::size_t size = 1; size < conditions.parents.size(); ++size)
    REQUIRE(static_cast<bool>(decode_parents(conditions.parents.substr(0, size))) ==
            (size == 17 || size == 26 || size == 43));
  const auto refusal = [](const Conditions& bad) {
    return decode_conditions(encode_conditions(bad)).error().message;
  };
  Conditions bad;
  bad.key = std::string(256, 'x');
  REQUIRE(refusal(bad) == "key of 256 bytes, limit 255");
  bad.key.clear(), bad.expires_in_ms = UINT64_MAX;
  REQUIRE(refusal(bad) == "a time of 18446744073709551615 ms, limit 3162240000000");
  bad.expires_in_ms = 0;
  for (std::size_t i = 0; i <= kParentsMax; ++i) put_parent(bad.parents, {{5, 9}});
  REQUIRE(refusal(bad) == "after: more than 1024 stretches of tasks (a project may have more)");
  const auto none = Parent{{5, 9}, 0, 0};
  bad.parents.clear(), put_parent(bad.parents, none);
  REQUIRE(refusal(bad) == "after: malformed");
}

TEST_CASE("tasks with conditions and tasks without stand in groups of their own", "[records]") {
  Conditions keyed;
  keyed.key = "account 7";
  const auto conditions = encode_conditions(keyed);
  TaskGroups groups;
  groups.add(TaskClass{"echo"}, "\x80");
  groups.add(TaskClass{"echo"}, "\x80", conditions);
  groups.add(TaskClass{"echo"}, "\x81", conditions);
  groups.add(TaskClass{"echo"}, "\x80");
  auto payload = groups.take();
  REQUIRE(*count_grouped_tasks(payload) == 4);
  REQUIRE(groups_of(payload) ==
          decltype(groups_of(""))({{{"echo"}, 1}, {{"echo"}, 2}, {{"echo"}, 1}}));
  ByteReader reader(payload);
  REQUIRE_FALSE(read_task_group(reader)->is_conditional);
  const auto group = read_task_group(reader);
  REQUIRE(group->is_conditional);
  ByteReader specs(group->specs);
  REQUIRE(read_task_spec(specs) == TaskSpec{"\x80", conditions});
  REQUIRE(read_task_spec(specs) == TaskSpec{"\x81", conditions});
  const auto plain = payload.find("\x93\x01");
  payload[plain - TaskGroup::kHeaderBytes + 2] = 1;  // Says that it has some.
  REQUIRE_FALSE(count_grouped_tasks(payload));
}
