#include "tests/simulation/tenant_rules.hpp"

#include "common/base/text.hpp"

namespace eole::simulation {

bool TenantRules::is_inside(std::string_view prefix, const TaskId& id) const {
  const auto* task = tasks_.find(id);
  return task != nullptr && task->plan != nullptr &&
         task->plan->task_class.project.starts_with(prefix);
}

std::vector<TaskId> TenantRules::known(Origin origin) const {
  std::vector<TaskId> found;
  for (const auto& [id, task] : tasks_.all())
    if (id.origin == origin && task.plan != nullptr) found.push_back(id);
  return found;
}

void TenantRules::on_seen(std::string_view prefix, std::string_view project) {
  if (!project.starts_with(prefix))
    throw Violation{text("who is within ", prefix, " was told of project ", project)};
}

// Who is within a prefix cannot wait for others' tasks, unless they were over: nobody tells then
// whose they were. What is counted was all under way when the last of it was accepted.
void TenantRules::on_answer(const TaskId& id, const SeenTask& task) const {
  if (task.plan == nullptr || task.plan->task_class.within.empty()) return;
  const auto& within = task.plan->task_class.within;
  on_seen(within, task.plan->task_class.project);
  for (const auto& parent : task.plan->parents)
    if (!is_inside(within, parent.id) && !tasks_.is_over(parent.id))
      throw Violation{
          text(to_text(id), " waits for ", to_text(parent.id), ", which is not within ", within)};
  const auto quota = quotas_.find({id.origin, within});
  if (quota == quotas_.end()) return;
  std::uint64_t under_way = 0;
  for (const auto& [other, seen] : tasks_.all())
    if (other.origin == id.origin && seen.answered && !seen.end && is_inside(within, other))
      ++under_way;
  if (under_way > quota->second)
    throw Violation{
        text(under_way, " tasks of ", within, " are under way, its quota is ", quota->second)};
}

}  // namespace eole::simulation
