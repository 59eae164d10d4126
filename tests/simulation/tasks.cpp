#include "tests/simulation/tasks.hpp"

#include "common/base/text.hpp"

namespace eole::simulation {

const Plan* Tasks::plan_of(std::string_view body) const {
  const auto found = plans_.find(body);
  return found == plans_.end() ? nullptr : &found->second;
}

bool Tasks::know(const TaskId& id, std::string_view body) {
  const auto found = plans_.find(body);
  if (found == plans_.end()) return false;
  auto& plan = found->second;
  if (plan.id.seq != 0 && plan.id != id)
    throw Violation{text(to_text(id), " and ", to_text(plan.id), " are one task, accepted twice")};
  if (plan.is_refused) throw Violation{text(to_text(id), " was refused, and is a task")};
  plan.id = id;
  auto& task = seen_[id];
  const bool is_news = task.plan == nullptr;
  task.plan = &plan;
  return is_news;
}

const SeenTask* Tasks::find(const TaskId& id) const {
  const auto found = seen_.find(id);
  return found == seen_.end() ? nullptr : &found->second;
}

const SeenTask::End* Tasks::end_of(const TaskId& id) const {
  const auto* task = find(id);
  return task == nullptr || !task->end ? nullptr : &*task->end;
}

bool Tasks::has_begun(const TaskId& id) const {
  const auto* task = find(id);
  return task != nullptr && task->executions > 0;
}

}  // namespace eole::simulation
