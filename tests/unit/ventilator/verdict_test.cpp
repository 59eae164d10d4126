#include "ventilator/io/verdict.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/another.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/value.hpp"

using namespace eole;
using namespace eole::ventilator;
using protocol::TaskState;
using protocol::Value;

namespace {

struct Letter {
  protocol::Verdicts verdicts;
  protocol::ResultRecord record;
  Value body;
};

Letter letter_of(const PushVerdict& verdict, const Specs& task) {
  Letter letter;
  letter.verdicts = verdict_of(verdict, 5, 3, task, 1000);
  letter.record = *protocol::ResultReader(letter.verdicts.payload).next();
  letter.body = *Value::from_msgpack(letter.record.body);
  return letter;
}

}  // namespace

TEST_CASE("what ends as done without a worker has its arguments as its value", "[ventilator]") {
  const Value value = Value::Map{{"project", "photos"}, {"all_done", true}};
  const auto args = value.to_msgpack();
  Bytes spec;
  protocol::put_task_spec(spec, {args});
  const auto task_class = protocol::encode_class({"over", "photos/collect"});
  const auto done = letter_of({7, {}, 0, TaskState::kDone}, {task_class, spec, 1, 0});
  REQUIRE(done.record.state == TaskState::kDone);
  REQUIRE(done.record.project == "photos/collect");
  REQUIRE(done.body == Value(Value::Map{{"value", value}}));
}

TEST_CASE("of a lost copy the log is told why, and nothing of its task", "[ventilator]") {
  const auto task_class = protocol::encode_class({"echo", "photos", 2, 1});
  Bytes spec;
  protocol::put_task_spec(spec, {"\x80"});
  const auto copy = letter_of(
      {7, {1, 9}, 1, TaskState::kFailed, true, {}, {"", "worker w1: it fell silent"}, true},
      {task_class, spec, 1, 0});
  REQUIRE((copy.record.is_copy && !copy.record.is_final && copy.record.is_unconfirmed));
  REQUIRE((copy.record.kind == "echo" && copy.record.project == "photos"));
  REQUIRE(copy.body ==
          Value(Value::Map{{"error", "worker w1: it fell silent"}, {"cause", "lost"}}));
}

TEST_CASE("a task that is dead after one attempt says so", "[ventilator]") {
  const auto letter = letter_of({7, {1, 9}, 1, TaskState::kDead, false, {"attempt 1: failed: a"}},
                                {protocol::encode_class({"echo"}), {}, 1, 0});
  REQUIRE(letter.body["error"].text_or("") == "dead after 1 attempt, attempt 1: failed: a");
}

TEST_CASE("a dead letter carries its task and the reason of every attempt", "[ventilator]") {
  const auto task_class = protocol::encode_class({"echo", "photos", 2, 1});
  Bytes spec;
  protocol::put_task_spec(spec, {"\x80"});
  const auto letter = letter_of(
      {7, {1, 9}, 2, TaskState::kDead, false, {"attempt 1: failed: a", "attempt 2: failed: b"}},
      {task_class, spec, 1, 0});
  REQUIRE(letter.verdicts.start == 3);
  REQUIRE(letter.record.id == TaskId{5, 7});
  REQUIRE(letter.record.is_final);
  REQUIRE(letter.record.kind == "echo");
  REQUIRE(letter.record.project == "photos");
  REQUIRE(letter.body["error"].text_or("") == "dead after 2 attempts, attempt 2: failed: b");
  const auto another = protocol::as_another({"echo", "photos", 2, 1}, {"\x80"}, {5, 7});
  REQUIRE(letter.body["spec"] == Value(protocol::Blob{another}));
  REQUIRE(letter.body["instead_of"].is_null());
  REQUIRE(letter.body["times"].is_null());
  REQUIRE(letter.body["reasons"] ==
          Value(Value::Array{"attempt 1: failed: a", "attempt 2: failed: b"}));
}

TEST_CASE("a verdict says by a code, too, why a task ended that never ran", "[ventilator]") {
  const auto letter = letter_of(
      {7, {}, 0, TaskState::kCancelled, false, {}, {"expired", "expired before it began"}}, {});
  REQUIRE(letter.body["code"] == "expired");
  REQUIRE(letter.body["error"] == "expired before it began");
  REQUIRE(letter_of({7, {}, 0, TaskState::kCancelled, false, {}}, {}).body["code"].is_null());
}

TEST_CASE("a dead letter that had conditions has a key and its parents' ids", "[ventilator]") {
  const auto task_class = protocol::encode_class({"echo", "", 2, 1});
  protocol::Conditions conditions{"key", 100, 200, 300, 400, {}};
  for (const auto& parent : {protocol::Parent{{}, 4, 2, ""}, {{6, 9}, 0, 1, ""}, {{}, 0, 1, "p"}})
    protocol::put_parent(conditions.parents, parent);
  Bytes spec;
  protocol::put_task_spec(spec, {"\x80", protocol::encode_conditions(conditions)});
  const auto letter =
      letter_of({7, {1, 9}, 2, TaskState::kDead, false, {"a"}}, {task_class, spec, 1, 0});

  const auto* blob = letter.body["spec"].as<protocol::Blob>();
  REQUIRE(blob != nullptr);
  REQUIRE(protocol::count_grouped_tasks(blob->bytes));
  ByteReader groups(blob->bytes);
  const auto group = protocol::read_task_group(groups);
  ByteReader specs(group->specs);
  const auto told = protocol::decode_conditions(protocol::read_task_spec(specs)->conditions);
  protocol::Conditions wanted{"key", 0, 0, 0, 0, {}};
  for (const auto& parent :
       {protocol::Parent{{5, 3}, 0, 2, ""}, {{6, 9}, 0, 1, ""}, {{}, 0, 1, "p"}})
    protocol::put_parent(wanted.parents, parent);
  REQUIRE(*told == wanted);
  REQUIRE(letter.body["times"] == Value(Value::Map{{"delay", "0.1s"},
                                                   {"not_before", "1970-01-01T00:00:00.200Z"},
                                                   {"expires", "1970-01-01T00:00:00.400Z"}}));
}

TEST_CASE("what was not done of a project says how to do it anew, in the first one's place",
          "[ventilator]") {
  const auto task_class = protocol::encode_class({"echo", "photos"});
  protocol::Conditions conditions;
  conditions.instead_of = 4;
  Bytes spec;
  protocol::put_task_spec(spec, {"\x80", protocol::encode_conditions(conditions)});
  const auto letter = letter_of({7, {}, 0, TaskState::kCancelled}, {task_class, spec, 1, 0});
  REQUIRE(letter.body["instead_of"] == Value(to_text(TaskId{5, 4})));
  protocol::TaskGroups groups;
  groups.add({"echo", "photos"}, "\x80", protocol::encode_conditions(conditions));
  REQUIRE(letter.body["spec"] == Value(protocol::Blob{groups.take()}));
  const auto alone =
      letter_of({7, {}, 0, TaskState::kCancelled}, {protocol::encode_class({"echo"}), spec, 1, 0});
  REQUIRE(alone.body["spec"].is_null());
}

TEST_CASE("the verdict on a task that damage took has no task to carry", "[ventilator]") {
  const auto letter = letter_of({7, {}, 0, TaskState::kDead, false, {"it was lost"}}, {});
  REQUIRE(letter.record.state == TaskState::kDead);
  REQUIRE(letter.body["spec"] == Value());
}
