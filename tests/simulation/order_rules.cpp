#include "tests/simulation/order_rules.hpp"

#include "common/base/text.hpp"

namespace eole::simulation {

using protocol::OnParentFailure;
using protocol::TaskState;

namespace {

bool runs_anyway(const Plan& plan) {
  return plan.task_class.on_parent_failure == static_cast<std::uint8_t>(OnParentFailure::kRun);
}

// The parents that are tasks, one by one; projects are elsewhere.
template <class Visit>
void each_parent(const TaskId& id, const Plan& plan, Visit&& visit) {
  for (const auto& parent : plan.parents) {
    if (!parent.project.empty()) continue;
    const auto first = parent.back != 0 ? id.seq - parent.back : parent.id.seq;
    for (auto seq = first; seq < first + parent.count; ++seq) visit(TaskId{id.origin, seq});
  }
}

// Each prefix of projects has its own.
std::string key_of(const Plan& plan) {
  return plan.conditions.key.empty() ? "" : text(plan.task_class.within, plan.conditions.key);
}

}  // namespace

void OrderRules::on_known(const TaskId& id, const Plan& plan) {
  const auto key = key_of(plan);
  if (!key.empty()) keyed_[{id.origin, key}].insert(id.seq);
}

void OrderRules::on_begin(const TaskId& id, const Plan& plan) const {
  if (tasks_.is_over(id)) return;  // With a worker that was lost meanwhile.
  if (!plan.conditions.key.empty()) check_key(id, key_of(plan));
  each_parent(id, plan, [&](const TaskId& parent) {
    const auto* end = tasks_.end_of(parent);
    if (end == nullptr)
      throw Violation{text(to_text(id), " began, and ", to_text(parent),
                           ", which it waits for, has "
                           "not ended")};
    if (end->state != TaskState::kDone && !runs_anyway(plan))
      throw Violation{text(to_text(id), " began, and ", to_text(parent),
                           ", which it waits for, was "
                           "not done")};
  });
}

void OrderRules::check_key(const TaskId& id, const std::string& key) const {
  for (const auto seq : keyed_.at({id.origin, key})) {
    const TaskId other{id.origin, seq};
    if (seq < id.seq && !tasks_.is_over(other))
      throw Violation{text(to_text(id), " began, and ", to_text(other),
                           " of the same key, which is "
                           "before it, has not ended")};
    if (seq > id.seq && tasks_.has_begun(other))
      throw Violation{text(to_text(id), " began behind ", to_text(other), " of the same key")};
  }
}

bool OrderRules::has_parent_not_done(const TaskId& id, const Plan& plan) const {
  bool found = false;
  each_parent(id, plan, [&](const TaskId& parent) {
    const auto* end = tasks_.end_of(parent);
    found = found || (end != nullptr && end->state != TaskState::kDone);
  });
  for (const auto& parent : plan.parents) found = found || !parent.project.empty();
  return found;
}

void OrderRules::on_unbegun_end(const TaskId& id, const SeenTask& task) const {
  const auto state = task.end->state;
  const auto& plan = *task.plan;
  if (state == TaskState::kDone) throw Violation{text(to_text(id), " is done, and never began")};
  const bool is_skipped = has_parent_not_done(id, plan) && !runs_anyway(plan);
  if (state == TaskState::kFailed && !is_skipped)
    throw Violation{text(to_text(id), " failed, and never began")};
  const auto& conditions = plan.conditions;
  const bool may_expire = conditions.expires_in_ms + conditions.expires_unix_ms > 0;
  if (state == TaskState::kCancelled && !task.may_be_cancelled && !may_expire && !is_skipped)
    throw Violation{text(to_text(id), " was cancelled, and nobody asked for it")};
}

}  // namespace eole::simulation
