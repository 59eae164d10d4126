#include "ventilator/io/verdict.hpp"

#include <catch2/catch.hpp>

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

Letter letter_of(const PushVerdict& verdict, std::string_view spec) {
  Letter letter;
  letter.verdicts = verdict_of(verdict, 5, spec, 1000);
  letter.record = *protocol::ResultReader(letter.verdicts.payload).next();
  letter.body = *Value::from_msgpack(letter.record.body);
  return letter;
}

}  // namespace

TEST_CASE("a dead letter carries its task and the reason of every attempt", "[ventilator]") {
  Bytes spec;
  protocol::put_task_spec(spec, {true, "echo", "photos", "\x80"});
  const auto letter = letter_of(
      {7, {1, 9}, 2, TaskState::kDead, false, {"attempt 1: failed: a", "attempt 2: failed: b"}},
      spec);
  REQUIRE(letter.record.id == TaskId{5, 7});
  REQUIRE(letter.record.is_final);
  REQUIRE(letter.record.kind == "echo");
  REQUIRE(letter.record.project == "photos");
  REQUIRE(letter.body["error"].text_or("") == "dead after 2 attempts, attempt 2: failed: b");
  REQUIRE(letter.body["spec"] == Value(protocol::Blob{spec}));
  REQUIRE(letter.body["reasons"] ==
          Value(Value::Array{"attempt 1: failed: a", "attempt 2: failed: b"}));
}

TEST_CASE("the verdict on a task that damage took has no task to carry", "[ventilator]") {
  const auto letter = letter_of({7, {}, 0, TaskState::kDead, false, {"it was lost"}}, "");
  REQUIRE(letter.record.state == TaskState::kDead);
  REQUIRE(letter.body["spec"] == Value());
}
