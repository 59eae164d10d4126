#include "common/protocol/task_class.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/records.hpp"

using namespace eole;
using namespace eole::protocol;

namespace {

/// A class as a later release may write it.
Bytes longer(const TaskClass& task_class) {
  auto encoded = encode_class(task_class);
  encoded[0] = static_cast<char>(encoded[0] + 1);
  return encoded + "\x07";
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
  const TaskClass task_class{"echo", "\xff", 7, 1};
  REQUIRE(*decode_class(longer(task_class)) == task_class);
  const auto encoded = encode_class(task_class);
  for (std::size_t size = 0; size < encoded.size(); ++size)
    REQUIRE_FALSE(decode_class(encoded.substr(0, size)));
  const auto refusal = [](const TaskClass& bad) {
    return decode_class(encode_class(bad)).error().message;
  };
  REQUIRE(refusal({"", "p", 0, 0}) == "class: no kind");
  REQUIRE(refusal({"echo", std::string(256, 'x'), 0, 0}) ==
          "class: kind or project of 256 bytes, limit 255");
  REQUIRE(refusal({std::string(2000, 'x'), "", 0, 0}) == "class: 2014 bytes, limit 1024");
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
