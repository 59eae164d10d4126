#include "ventilator/io/verdict.hpp"

#include <utility>

#include "common/base/counted.hpp"
#include "common/base/durations.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/another.hpp"
#include "common/protocol/causes.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/trace.hpp"
#include "common/protocol/value.hpp"

namespace eole::ventilator {

using protocol::Value;

namespace {

// What was said of when it may begin, as a task says it; a replay has none of it.
Value times_of(const Expected<protocol::Conditions>& conditions) {
  Value times = Value::Map{};
  if (!conditions) return times;
  const auto time = [](std::uint64_t unix_ms) {
    return show_time(static_cast<std::int64_t>(unix_ms));
  };
  if (conditions->delay_ms != 0) times.set("delay", show_duration(conditions->delay_ms));
  if (conditions->not_before_unix_ms != 0)
    times.set("not_before", time(conditions->not_before_unix_ms));
  if (conditions->expires_in_ms != 0)
    times.set("expires", show_duration(conditions->expires_in_ms));
  if (conditions->expires_unix_ms != 0) times.set("expires", time(conditions->expires_unix_ms));
  return times;
}

// Of what ends as done: what it was to say.
Value done_body(const std::optional<protocol::TaskSpec>& spec) {
  auto value = Value::from_msgpack(spec ? spec->args : std::string_view());
  return Value::Map{{"value", value ? std::move(*value) : Value()}};
}

// Of one of two copies: its task goes on, and its own end has the rest.
Value copy_body(const PushVerdict& verdict) {
  return Value::Map{{"error", verdict.why.text}, {"cause", protocol::kCauseLost}};
}

}  // namespace

protocol::Verdicts verdict_of(const PushVerdict& verdict, Origin origin, std::uint32_t start,
                              const Specs& task, std::int64_t unix_ms) {
  const bool is_dead = verdict.state == protocol::TaskState::kDead;
  const auto last = verdict.reasons.empty() ? "" : ", " + verdict.reasons.back();
  Value::Array reasons;
  for (const auto& reason : verdict.reasons) reasons.push_back(reason);
  Value body = Value::Map{
      {"error", !verdict.why.text.empty() ? verdict.why.text
                : is_dead ? text("dead after ", counted(verdict.attempt, "attempt"), last)
                          : "cancelled"},
      {"reasons", std::move(reasons)}};
  if (!verdict.why.code.empty()) body.set("code", verdict.why.code);
  const auto task_class = protocol::decode_class(task.task_class);
  const bool is_to_tell = task_class && !verdict.is_copy &&
                          (is_dead || !task_class->project.empty()) &&
                          !planted("dead-without-its-spec");
  ByteReader reader(task.bytes);
  const auto spec = protocol::read_task_spec(reader);
  const auto conditions = spec && !spec->conditions.empty()
                              ? protocol::decode_conditions(spec->conditions)
                              : Expected<protocol::Conditions>(protocol::Conditions{});
  if (spec && !spec->trace.empty()) body.set("traceparent", protocol::traceparent_of(spec->trace));
  if (spec && is_to_tell) {
    const TaskId id{origin, verdict.seq};
    body.set("spec", protocol::Blob{protocol::as_another(*task_class, *spec, id)});
    if (auto times = times_of(conditions); is_dead && times != Value(Value::Map{}))
      body.set("times", std::move(times));
    if (const auto part = protocol::instead_of(spec->conditions); part != 0)
      body.set("instead_of", to_text(TaskId{origin, part}));
  }
  if (verdict.is_copy) {
    body = copy_body(verdict);
  } else if (verdict.state == protocol::TaskState::kDone) {
    body = done_body(spec);
  } else if (spec && !is_to_tell) {
    protocol::tell_args(spec->args, body);
  }
  const auto bytes = body.to_msgpack();
  protocol::ResultRecord result;
  result.id = {origin, verdict.seq};
  result.lease = verdict.lease;
  result.attempt = verdict.attempt;
  result.state = verdict.state;
  result.is_unconfirmed = verdict.is_unconfirmed;
  result.is_copy = verdict.is_copy;
  result.is_final = !verdict.is_copy;
  result.finished_unix_ms = unix_ms;
  result.submitted_unix_ms = task.submitted_unix_ms;
  if (task_class) result.kind = task_class->kind;
  if (task_class) result.project = task_class->project;
  result.body = bytes;
  if (conditions) result.key = conditions->key;
  protocol::Verdicts verdicts{origin, 1, start, {}};
  protocol::put_result(verdicts.payload, result);
  return verdicts;
}

}  // namespace eole::ventilator
