#include "ventilator/io/verdict.hpp"

#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/value.hpp"

namespace eole::ventilator {

using protocol::Value;

namespace {

// The spec as another task has it: with its key, and with its parents by their ids, for it may take
// results of theirs. Its times are over.
Bytes as_another(std::string_view bytes, const TaskId& id) {
  ByteReader reader(bytes);
  const auto spec = protocol::read_task_spec(reader);
  if (!spec || spec->conditions.empty()) return Bytes(bytes);
  const auto was = protocol::decode_conditions(spec->conditions);
  const auto parents = protocol::decode_parents(was ? was->parents : std::string());
  if (!was || !parents) return Bytes(bytes);
  protocol::Conditions conditions;
  conditions.key = was->key;
  for (auto parent : *parents) {
    if (parent.back != 0) parent.id = {id.origin, id.seq - std::exchange(parent.back, 0)};
    protocol::put_parent(conditions.parents, parent);
  }
  const auto encoded = protocol::encode_conditions(conditions);
  Bytes other;
  protocol::put_task_spec(other, {spec->args, encoded});
  return other;
}

}  // namespace

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
    protocol::TaskGroups group;  // A submit's payload, for a replay.
    group.add(task.task_class, as_another(task.bytes, {origin, verdict.seq}));
    body.set("spec", protocol::Blob{group.take()});
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
