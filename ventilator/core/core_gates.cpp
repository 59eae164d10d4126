#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/protocol/records.hpp"
#include "ventilator/core/core.hpp"

// Tasks with conditions, until they may be queued.
namespace eole::ventilator {

namespace {

// A key is that of its prefix alone, if its task has one.
protocol::Conditions conditions_of(std::string_view encoded, const protocol::TaskClass& of) {
  auto conditions = protocol::decode_conditions(encoded);
  invariant(static_cast<bool>(conditions), "conditions that are taken make sense");
  if (!of.within.empty()) conditions->key = Within(of.within).own(conditions->key);
  return std::move(*conditions);
}

}  // namespace

void Core::enter(Seq first, ClassId id, std::string_view specs, std::int64_t accepted_unix_ms) {
  const auto& task_class = durable_.classes.at(id);
  const auto on_failure = static_cast<protocol::OnParentFailure>(task_class.on_parent_failure);
  Released released;
  std::string_view read;  // Neighbours mostly wait for the same.
  protocol::Conditions conditions;
  auto seq = first;
  for (ByteReader reader(specs); !reader.is_done(); ++seq) {
    const auto spec = protocol::read_task_spec(reader);
    if (spec->conditions != read) conditions = conditions_of(spec->conditions, task_class);
    read = spec->conditions;
    gates_.enter(seq, accepted_unix_ms, conditions, on_failure, moment_, durable_.settled,
                 released);
  }
  let_go(std::move(released));
}

// What waits for a project's end, over whatever others: looked for once for all groups of a submit.
const Core::Circle& Core::circle_of(const std::string& project,
                                    std::map<std::string, Circle>& known) const {
  const auto [found, is_new] = known.try_emplace(project);
  auto& [behind, projects] = found->second;
  if (is_new) behind = gates_.behind(durable_.last + 1, project);
  if (is_new)
    for (const auto& [seq, other] : behind)
      if (const auto* task_class = class_of(seq)) projects.insert(task_class->project);
  return found->second;
}

// Others can only wait for what is not there yet as for one of its project. So a circle is closed
// by its last task. Nothing if none is.
std::optional<Error> Core::why_circle(const protocol::TaskGroup& group,
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

// Before anything new comes: a key's order is that of the numbers.
void Core::enter_recovered() {
  Released released;
  for (const auto& task : std::exchange(durable_.conditional, {})) {
    const auto* task_class = class_of(task.seq);
    if (task_class == nullptr) continue;
    gates_.enter(task.seq, task.accepted_unix_ms, conditions_of(task.conditions, *task_class),
                 static_cast<protocol::OnParentFailure>(task_class->on_parent_failure), moment_,
                 durable_.settled, released);
  }
  let_go(std::move(released));
}

void Core::let_go(Released released) {
  for (const auto seq : released.seqs) {
    if (queue_.is_recovered(seq) && !queue_.is_recovered_open()) {
      recovery_.let_go.seqs.push_back(seq);
    } else {
      let_go(seq);
    }
  }
  for (const auto& ended : released.ended) end_unbegun(ended);
}

// One that begins anew was held again for its key, and for no time of its own.
void Core::let_go(Seq seq) {
  auto* task = tasks_.find(seq);
  if (task != nullptr && task->is(State::kWaiting) && timers_.find(seq) == nullptr) {
    tasks_.give_back(*task);
    return enqueue(seq, *task, true);
  }
  const auto id = durable_.classes.of(seq);
  if (id != kNoClass) queue_.extend(seq, 1, id, durable_.classes.at(id));
}

// What has begun goes on.
void Core::end_unbegun(const Released::Ended& ended) {
  if (durable_.settled.contains(ended.seq)) return;
  auto& task = tasks_.at(ended.seq);
  const bool is_waiting = task.is(State::kReady) || task.is(State::kWaiting);
  if (!is_waiting || task.attempt > 0) return;
  task.told().why_ended = ended.why;
  end(ended.seq, task, ended.state);
}

// Of what expires before it is known what an earlier start has sent, only new tasks end.
void Core::open_gates() {
  if (queue_.is_recovered_open()) let_go(std::exchange(recovery_.let_go, {}));
  Released released;
  gates_.on_deadline(moment_, released);
  if (!queue_.is_recovered_open()) {
    const auto is_new = [&](const Released::Ended& ended) {
      return !queue_.is_recovered(ended.seq);
    };
    const auto earlier =
        std::stable_partition(released.ended.begin(), released.ended.end(), is_new);
    std::move(earlier, released.ended.end(), std::back_inserter(recovery_.let_go.ended));
    released.ended.erase(earlier, released.ended.end());
  }
  let_go(std::move(released));
}

}  // namespace eole::ventilator
