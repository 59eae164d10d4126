#include "tests/simulation/project_rules.hpp"

#include "common/base/text.hpp"

namespace eole::simulation {

using protocol::OnParentFailure;
using protocol::TaskState;

void ProjectRules::on_known(const TaskId& id, const Plan& plan) {
  if (!plan.last_of.empty()) return;
  auto& project = projects_[{id.origin, plan.task_class.project}];
  project.tasks.insert(id.seq);
  if (project.last != 0 && id.seq > project.last)
    throw Violation{text(to_text(id), " was accepted into a project behind its last task")};
}

void ProjectRules::on_begin(const TaskId& id, const Plan& plan) {
  if (tasks_.is_over(id)) return;  // With a worker that was lost meanwhile.
  if (plan.last_of.empty() && projects_[{id.origin, plan.task_class.project}].is_over)
    throw Violation{text(to_text(id), " began, and its project was over")};
  if (!plan.last_of.empty()) {
    auto& project = projects_[{id.origin, plan.last_of}];
    check_over(id, project, plan.last_of);
    project.last = id.seq;
  }
  for (const auto& parent : plan.parents)
    if (!parent.project.empty())
      check_parent(id, plan, projects_[{id.origin, parent.project}], parent.project);
}

void ProjectRules::check_over(const TaskId& id, Project& project, const std::string& name) const {
  for (const auto seq : project.tasks)
    if (!tasks_.is_over({id.origin, seq}))
      throw Violation{text(to_text(id), " began because project ", name, " is over, and ",
                           to_text(TaskId{id.origin, seq}), " of it has not ended")};
  project.is_over = true;
}

// It was opened before this task came: until it is over. Else: for what came before this task.
void ProjectRules::check_parent(const TaskId& id, const Plan& plan, Project& project,
                                const std::string& name) const {
  const bool was_opened = project.opened && *project.opened < plan.submitted;
  if (was_opened) check_over(id, project, name);
  for (const auto seq : project.tasks) {
    if (seq > id.seq && !was_opened) break;
    const TaskId other{id.origin, seq};
    const auto* end = tasks_.end_of(other);
    if (end == nullptr)
      throw Violation{text(to_text(id), " began, and ", to_text(other), " of project ", name,
                           ", which it waits for, has not ended")};
    const bool runs_anyway =
        plan.task_class.on_parent_failure == static_cast<std::uint8_t>(OnParentFailure::kRun);
    const bool is_counted = was_opened && tasks_.find(other)->plan->submitted > *project.opened;
    if (end->state != TaskState::kDone && is_counted && !runs_anyway)
      throw Violation{text(to_text(id), " began, and ", to_text(other), " of project ", name,
                           ", which it waits for, was not done")};
  }
}

void ProjectRules::check_end() const {
  for (const auto& [key, project] : projects_) {
    if (!project.is_closed) continue;
    if (project.last == 0 || !tasks_.is_over({key.first, project.last}))
      throw Violation{text("project ", key.second, " is closed, and its last task never ended")};
  }
}

}  // namespace eole::simulation
