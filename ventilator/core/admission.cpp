#include "ventilator/core/admission.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/protocol/chain_key.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/project_controls.hpp"
#include "ventilator/core/tenancy.hpp"

namespace eole::ventilator {

using protocol::Value;

namespace {

constexpr std::size_t kUnconfirmedAlways = 1024;  // As no client that confirms ever has.

// A relay that has not heard of it yet goes on; and what it was refused is not committed.
std::optional<Error> why_chain_is_over(const protocol::Submit& submit, const Wishes& wishes) {
  const auto key = protocol::parse_chain_key(Within(submit.within).shown(submit.key));
  if (!key || planted("removed-chain-goes-on")) return std::nullopt;
  const auto* kept = wishes.find("chain", key->name);
  if (kept == nullptr) return Error{text("chain ", key->name, ": was removed")};
  const auto declared = Value::from_msgpack(*kept);
  if (declared && protocol::chain_key(*declared) == *key) return std::nullopt;
  return Error{text("chain ", key->name, ": was declared anew")};
}

}  // namespace

std::optional<Answered> Admission::find_answer(const Submitted& event,
                                               std::optional<Error>& conflict) const {
  const auto& submit = event.submit;
  if (!submit.key.empty()) {
    const auto known = durable_.answers.find(submit.key);
    if (!known) return std::nullopt;
    if (known->hash != event.hash)
      conflict =
          Error{text("key ", Within(submit.within).shown(submit.key), ": was used for other tasks"),
                ErrorCode::kKeyUsed};
    return known->answered;
  }
  if (planted("repeat-answered-anew")) return std::nullopt;
  return durable_.answers.find(submit.run, submit.request);
}

Error Admission::no_room_on_disk() {
  return {"storage full: the ventilator's disk has no room", ErrorCode::kFull};
}

std::optional<Error> Admission::why_refused(const Submitted& event,
                                            std::set<std::string>& awaited) const {
  if (event.is_storage_full) return no_room_on_disk();
  if (event.submit.count == 0) return Error{"submit: no tasks"};
  if (auto why = why_chain_is_over(event.submit, durable_.wishes)) return why;
  return why_groups_refused(event.submit, awaited);
}

std::optional<Error> Admission::why_groups_refused(const protocol::Submit& submit,
                                                   std::set<std::string>& awaited) const {
  if (auto why = durable_.classes.why_refused(submit.payload)) return why;
  const ProjectAdmission projects(durable_, gates_);
  const auto first = durable_.last + 1;
  auto next = first;
  std::map<std::string, Circle> circles;
  for (ByteReader reader(submit.payload); const auto group = protocol::read_task_group(reader);) {
    std::set<std::string> of_group;
    if (group->is_conditional)
      if (auto why = gates_.why_refused(*group, next, first, durable_.origin, of_group)) return why;
    if (auto why = projects.why_refused(*group, of_group)) return why;
    if (group->is_conditional)
      if (auto why = why_circle(*group, circles)) return why;
    awaited.merge(of_group);
    next += group->count;
  }
  if (const Within within(submit.within); !within.is_all())
    if (auto why = why_outside(within, submit.payload, first, durable_.classes, durable_.settled))
      return why;
  return projects.why_no_more(static_cast<std::uint64_t>(std::count_if(
      awaited.begin(), awaited.end(),
      [&](const std::string& name) { return durable_.projects.find(name) == nullptr; })));
}

// What waits for a project's end, over whatever others: looked for once for all groups of a submit.
const Admission::Circle& Admission::circle_of(const std::string& project,
                                              std::map<std::string, Circle>& known) const {
  const auto [found, is_new] = known.try_emplace(project);
  auto& [behind, projects] = found->second;
  if (is_new) behind = gates_.behind(durable_.last + 1, project);
  if (is_new)
    for (const auto& [seq, other] : behind)
      if (const auto* task_class = durable_.classes.class_of(seq))
        projects.insert(task_class->project);
  return found->second;
}

// Others can only wait for what is not there yet as for one of its project. So a circle is closed
// by its last task. Nothing if none is.
std::optional<Error> Admission::why_circle(const protocol::TaskGroup& group,
                                           std::map<std::string, Circle>& known) const {
  if (durable_.projects.is_empty() || planted("circles-taken")) return {};
  const auto task_class = protocol::decode_class(group.task_class);
  const auto& project = task_class->project;
  if (!gates_.waits_for(project)) return {};
  const auto waits = text(" project ", project, ", of which this task is");
  for (ByteReader specs(group.specs); !specs.is_done();) {
    const auto conditions = conditions_of(protocol::read_task_spec(specs)->conditions, *task_class);
    if (conditions.parents.empty() && conditions.key.empty()) continue;
    const auto& [behind, projects] = circle_of(project, known);
    if (behind.empty()) break;
    protocol::ParentReader parents(conditions.parents);
    while (const auto parent = parents.next()) {
      if (projects.contains(parent->project) && !parent->project.empty())
        return Error{
            text("after project ", parent->project, ": a circle, tasks of it wait for", waits)};
      const auto at = behind.lower_bound(parent->id.seq);
      if (parent->back == 0 && at != behind.end() && at->first < parent->id.seq + parent->count)
        return Error{text("after ", to_text(TaskId{durable_.origin, at->first}),
                          ": a circle, it waits for", waits)};
    }
    const auto last = conditions.key.empty() ? 0 : gates_.last_of(conditions.key);
    if (last != 0 && behind.contains(last))
      return Error{text("key ", Within(task_class->within).shown(conditions.key), ": a circle, ",
                        to_text(TaskId{durable_.origin, last}), " of this key waits for", waits)};
  }
  return {};
}

// A client that confirms is not in the way of others, however much they have it remember.
bool Admission::is_remembering_too_much(const Submitted& event) const {
  const auto& submit = event.submit;
  if (durable_.answers.bytes() < config_.answer_bytes_max || planted("answers-without-a-bound"))
    return false;
  return !submit.key.empty() || durable_.answers.unconfirmed(submit.run) >= kUnconfirmedAlways;
}

std::optional<Error> Admission::why_limited(const Submitted& event) const {
  const auto& submit = event.submit;
  if (queued_ + submit.count > config_.queued_max)
    return Error{text("queue full: ", queued_, " tasks queued, limit ", config_.queued_max),
                 ErrorCode::kFull};
  if (is_remembering_too_much(event))
    return Error{text("answers to earlier submits take ", durable_.answers.bytes(),
                      " bytes, limit ", config_.answer_bytes_max,
                      submit.key.empty() ? ": this client confirms none of them"
                                         : ": keys are kept for a day"),
                 ErrorCode::kFull};
  return quotas_.why_refused(submit.payload, durable_.classes, moment_.now);
}

}  // namespace eole::ventilator
