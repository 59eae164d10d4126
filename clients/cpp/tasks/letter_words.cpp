#include "clients/cpp/tasks/letter_words.hpp"

#include "clients/cpp/tasks/task_words.hpp"
#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/trace.hpp"

namespace eole::client {

using protocol::Value;

namespace {

Value span(std::uint32_t milliseconds) { return show_duration(milliseconds); }

}  // namespace

Expected<TaskRequest> task_of_spec(std::string_view groups) {
  ByteReader reader(groups);
  const auto group = protocol::read_task_group(reader);
  if (!group) return Error{"its task is malformed", ErrorCode::kDamaged};
  ByteReader specs(group->specs);
  const auto spec = protocol::read_task_spec(specs);
  const auto task_class = protocol::decode_class(group->task_class);
  if (!spec || !task_class) return Error{"its task is malformed", ErrorCode::kDamaged};
  TaskRequest task;
  task.task_class = *task_class;
  task.args = spec->args;
  task.trace = spec->trace;
  if (spec->conditions.empty()) return task;
  const auto conditions = protocol::decode_conditions(spec->conditions);
  if (!conditions) return Error{text("its task: ", conditions.error().message), ErrorCode::kDamaged};
  task.conditions = *conditions;
  return task;
}

Bytes spec_of_task(const TaskRequest& task) {
  protocol::TaskGroups groups;
  const bool is_plain = task.conditions == protocol::Conditions{};
  groups.add(task.task_class, task.args,
             is_plain ? Bytes() : protocol::encode_conditions(task.conditions), task.trace);
  return groups.take();
}

Value words_of(const TaskRequest& task) {
  const auto& its = task.task_class;
  const auto args = Value::from_msgpack(task.args);
  Value words = Value::Map{{"kind", its.kind}, {"args", args ? *args : Value()}};
  if (!its.project.empty()) words.set("project", its.project);
  if (its.priority != 0) words.set("priority", std::uint32_t{its.priority});
  if (!task.conditions.key.empty()) words.set("key", task.conditions.key);
  if (!task.trace.empty()) words.set("traceparent", protocol::traceparent_of(task.trace));
  if (its.on_parent_failure != 0)
    words.set("on_parent_failure", its.on_parent_failure == 1 ? "skip" : "run");
  if (!its.needs.empty()) words.set("needs", its.needs);
  if (const auto equals = its.place.find('='); equals != std::string::npos)
    words.set(its.place.substr(0, equals), its.place.substr(equals + 1));
  else if (!its.place.empty())
    words.set(its.place, true);
  if (its.speculate != 0) words.set("speculate", true);
  if (its.timeout_ms != 0) words.set("timeout", span(its.timeout_ms));
  if (its.retry == 0 && its.attempts_max != 0)
    words.set("attempts", std::uint32_t{its.attempts_max});
  if (its.retry == 0) return words;
  Value retry = Value::Map{};
  if (its.attempts_max != 0) retry.set("attempts", std::uint32_t{its.attempts_max});
  if (its.backoff_ms != 0) retry.set("backoff", span(its.backoff_ms));
  if (its.backoff_max_ms != 0) retry.set("backoff_max", span(its.backoff_max_ms));
  if (!its.retry_on.empty()) retry.set("on", its.retry_on);
  words.set("retry", retry.as<Value::Map>()->empty() ? Value(true) : std::move(retry));
  return words;
}

Expected<TaskRequest> reworded(TaskRequest task, const Value& words) {
  const auto* members = words.as<Value::Map>();
  if (members == nullptr) return Error{"not an object"};
  auto& its = task.task_class;
  its.kind = its.project = its.retry_on = its.needs = its.place = "";
  its.attempts_max = its.retry = its.priority = its.speculate = its.on_parent_failure = 0;
  its.backoff_ms = its.backoff_max_ms = its.timeout_ms = 0;
  task.conditions.key = "";
  task.trace.clear();
  task.args = "\x80";
  for (const auto& [name, value] : *members) {
    if (name == "after" || name == "name")  // A replay waits for what the task waited for.
      return Error{text(name, ": cannot be said of a replay")};
    if (auto set = set_word(task, name, value); !set) return set.error();
  }
  if (auto fits = check(task); !fits) return fits.error();
  return task;
}

}  // namespace eole::client
