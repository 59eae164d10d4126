#include "worker/runners/part.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/another.hpp"
#include "common/protocol/result_view.hpp"

using namespace eole;
using namespace eole::worker;
using protocol::Blob;
using protocol::TaskState;
using protocol::Value;

namespace {

Value told(const StartTask& task, TaskState state, Value body = Value::Map{}) {
  tell_part(task, state, body);
  return body;
}

StartTask task_of(const protocol::TaskClass& task_class, Seq instead_of = 0) {
  StartTask task;
  task.id = {5, 7};
  task.task_class = task_class;
  task.args = "\x80";
  protocol::Conditions conditions;
  conditions.instead_of = instead_of;
  task.conditions = protocol::encode_conditions(conditions);
  return task;
}

}  // namespace

TEST_CASE("a task of a project that was not done tells what another is to do", "[worker]") {
  const auto task = task_of({"echo", "photos"});
  const auto body = told(task, TaskState::kFailed);
  const auto* spec = body["spec"].as<Blob>();
  REQUIRE(spec != nullptr);
  CHECK(spec->bytes == protocol::as_another(task.task_class, {task.args}, task.id));
  CHECK(body["instead_of"].is_null());
  CHECK(told(task, TaskState::kDone)["spec"].is_null());
  CHECK(told(task_of({"echo"}), TaskState::kFailed)["spec"].is_null());
  const protocol::TaskClass again{"echo", "photos", 0, 1};
  CHECK(told(task_of(again), TaskState::kFailed)["spec"].is_null());
  CHECK_FALSE(told(task_of(again), TaskState::kCancelled)["spec"].is_null());
}

TEST_CASE("what is over tells its arguments, unless they are large", "[worker]") {
  auto task = task_of({"exec"});
  const Value args = Value::Map{{"argv", Value::Array{"true"}}};
  task.args = args.to_msgpack();
  CHECK(told(task, TaskState::kDone)["args"] == args);
  CHECK(told(task, TaskState::kFailed)["args"] == args);
  CHECK(told(task, TaskState::kCancelled)["args"] == args);
  task.task_class.project = "photos";
  CHECK(told(task, TaskState::kDone)["args"] == args);
  CHECK(told(task, TaskState::kFailed)["args"] == args);
  task.task_class = {"exec", "", 0, 1};
  CHECK(told(task, TaskState::kFailed)["args"].is_null());  // It is not over.
  task.args = Value(Value::Map{{"urls", Value::Array{"http://bob:hunter2@host/a", 7}}}).to_msgpack();
  CHECK(told(task, TaskState::kDone)["args"] ==
        Value(Value::Map{{"urls", Value::Array{"http://***@host/a", 7}}}));
  task.args = "\x80";
  CHECK(told(task, TaskState::kDone)["args"].is_null());
  task.args = Value(std::string(protocol::kArgsToldMax, 'x')).to_msgpack();
  CHECK(told(task, TaskState::kDone)["args"].is_null());
  task.args = args.to_msgpack();
  const Value large = Value::Map{{"value", std::string(protocol::kInlineBytesMax - 100, 'v')}};
  CHECK(told(task, TaskState::kDone, large)["args"].is_null());
}

TEST_CASE("whose part it is, is told however it ended, and handed on", "[worker]") {
  const auto task = task_of({"echo", "photos"}, 4);
  CHECK(told(task, TaskState::kDone)["instead_of"] == Value(to_text(TaskId{5, 4})));
  const auto body = told(task, TaskState::kFailed);
  CHECK(body["instead_of"] == Value(to_text(TaskId{5, 4})));
  const auto group = body["spec"].as<Blob>()->bytes;
  ByteReader groups(group);
  ByteReader specs(protocol::read_task_group(groups)->specs);
  CHECK(protocol::instead_of(protocol::read_task_spec(specs)->conditions) == 4);
}

TEST_CASE("why attempts before it were lost is told however it ended", "[worker]") {
  auto task = task_of({"echo"});
  CHECK(told(task, TaskState::kDone)["reasons"].is_null());
  const Value lost = Value::Array{"attempt 1: worker w1: it fell silent"};
  task.lost = lost.to_msgpack();
  CHECK(told(task, TaskState::kDone)["reasons"] == lost);
  CHECK(told(task, TaskState::kFailed)["reasons"] == lost);
  const Value large = Value::Map{{"value", std::string(protocol::kInlineBytesMax - 40, 'v')}};
  CHECK(told(task, TaskState::kDone, large)["reasons"].is_null());  // Done it is all the same.
}

TEST_CASE("a result stays as small as it must be", "[worker]") {
  auto task = task_of({"echo", "photos"});
  task.args = Value(Value::Map{{"x", std::string(1'000'000, 'x')}}).to_msgpack();
  const auto body = told(task, TaskState::kFailed, Value::Map{{"error", std::string(50'000, 'e')}});
  CHECK(body["spec"].is_null());
}
