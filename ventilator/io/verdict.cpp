#include "ventilator/io/verdict.hpp"

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"

namespace eole::ventilator {

using protocol::Value;

protocol::Verdicts verdict_of(const PushVerdict& verdict, Origin origin, std::string_view raw_spec,
                              std::int64_t unix_ms) {
  const bool is_dead = verdict.state == protocol::TaskState::kDead;
  const auto last = verdict.reasons.empty() ? "" : ", " + verdict.reasons.back();
  Value::Array reasons;
  for (const auto& reason : verdict.reasons) reasons.push_back(reason);
  Value body = Value::Map{
      {"error", is_dead ? text("dead after ", verdict.attempt, " attempts", last) : "cancelled"},
      {"reasons", std::move(reasons)}};
  ByteReader reader(raw_spec);
  const auto spec = protocol::read_task_spec(reader);
  if (is_dead && spec && !planted("dead-without-its-spec"))
    body.set("spec", protocol::Blob{std::string(raw_spec)});
  const auto bytes = body.to_msgpack();
  protocol::ResultRecord result;
  result.id = {origin, verdict.seq};
  result.lease = verdict.lease;
  result.attempt = verdict.attempt;
  result.state = verdict.state;
  result.is_unconfirmed = verdict.is_unconfirmed;
  result.finished_unix_ms = unix_ms;
  if (spec) result.kind = spec->kind;
  if (spec) result.project = spec->project;
  result.body = bytes;
  protocol::Verdicts verdicts{origin, 1, {}};
  protocol::put_result(verdicts.payload, result);
  return verdicts;
}

}  // namespace eole::ventilator
