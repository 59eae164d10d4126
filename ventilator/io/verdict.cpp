#include "ventilator/io/verdict.hpp"

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/value.hpp"

namespace eole::ventilator {

using protocol::Value;

protocol::Verdicts verdict_of(const PushVerdict& verdict, Origin origin, std::uint32_t start,
                              const Specs& task, std::int64_t unix_ms) {
  const bool is_dead = verdict.state == protocol::TaskState::kDead;
  const auto last = verdict.reasons.empty() ? "" : ", " + verdict.reasons.back();
  Value::Array reasons;
  for (const auto& reason : verdict.reasons) reasons.push_back(reason);
  Value body =
      Value::Map{{"error", !verdict.why.text.empty() ? verdict.why.text
                           : is_dead ? text("dead after ", verdict.attempt, " attempts", last)
                                     : "cancelled"},
                 {"reasons", std::move(reasons)}};
  if (!verdict.why.code.empty()) body.set("code", verdict.why.code);
  const auto task_class = protocol::decode_class(task.task_class);
  if (is_dead && task_class && !planted("dead-without-its-spec")) {
    Bytes group;  // A submit's payload, for a replay.
    protocol::put_task_group(group, {task.task_class, 1, task.bytes});
    body.set("spec", protocol::Blob{std::move(group)});
  }
  const auto bytes = body.to_msgpack();
  protocol::ResultRecord result;
  result.id = {origin, verdict.seq};
  result.lease = verdict.lease;
  result.attempt = verdict.attempt;
  result.state = verdict.state;
  result.is_unconfirmed = verdict.is_unconfirmed;
  result.finished_unix_ms = unix_ms;
  if (task_class) result.kind = task_class->kind;
  if (task_class) result.project = task_class->project;
  result.body = bytes;
  protocol::Verdicts verdicts{origin, 1, start, {}};
  protocol::put_result(verdicts.payload, result);
  return verdicts;
}

}  // namespace eole::ventilator
