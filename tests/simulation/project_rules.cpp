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
  const auto& own = projects_[{id.origin, plan.task_class.project}];
  if (plan.last_of.empty() && own.is_over && !own.opened_again)
    throw Violation{text(to_text(id), " began, and its project was over")};
  if (!plan.last_of.empty()) {
    auto& project = projects_[{id.origin, plan.last_of}];
    check_over(id, project, plan.last_of);
    if (!project.opened_again || plan.submitted >= *project.opened_again) project.last = id.seq;
  }
  for (const auto& parent : plan.parents)
    if (!parent.project.empty())
      check_parent(id, plan, projects_[{id.origin, parent.project}], parent.project);
}

void ProjectRules::on_last_ended(const TaskId& id, const std::string& name) {
  auto& project = projects_[{id.origin, name}];
  check_over(id, project, name);
  if (++project.ends > project.ends_max)
    throw Violation{text(to_text(id), " ended project ", name, ", which had ended")};
}

void ProjectRules::check_over(const TaskId& id, Project& project, const std::string& name) const {
  for (const auto seq : project.tasks) {
    if (project.opened_again && seq > id.seq) break;  // Perhaps it came since.
    if (!tasks_.is_over({id.origin, seq}))
      throw Violation{text(to_text(id), " began because project ", name, " is over, and ",
                           to_text(TaskId{id.origin, seq}), " of it has not ended")};
  }
  project.is_over = true;
}

// It was opened before this task came: until it is over. Else: for what came before this task.
void ProjectRules::check_parent(const TaskId& id, const Plan& plan, Project& project,
                                const std::string& name) const {
  const bool was_opened =
      project.opened && *project.opened < plan.submitted && !project.opened_again;
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

void ProjectRules::on_opening_again(Origin origin, const std::string& name, TimePoint now) {
  auto& project = projects_[{origin, name}];
  project.opened_again = now;
  ++project.ends_max;
  project.is_closed = false;
  project.last = 0;
}

bool ProjectRules::may_be_cancelled(Origin origin, const std::string& name) const {
  const auto project = projects_.find({origin, name});
  return project != projects_.end() && project->second.may_be_cancelled;
}

void ProjectRules::on_send(const TaskId& id, const SeenTask& task) const {
  const auto project = projects_.find({id.origin, task.plan->task_class.project});
  if (project == projects_.end() || !project->second.cancelled || !task.answered) return;
  if (*task.answered < *project->second.cancelled)
    throw Violation{text(to_text(id), " was sent, and its project was cancelled before")};
}

void ProjectRules::check_told(const TaskId& id, const protocol::Value& part) const {
  const auto* task = tasks_.find(id);
  if (task->plan == nullptr) return;
  const auto instead_of = task->plan->conditions.instead_of;
  const auto wanted = instead_of == 0 ? "" : to_text(TaskId{id.origin, instead_of});
  if (part["state"].text_or("") != to_text(task->end->state))
    throw Violation{text("a part of a project, ", to_text(id), ", is told as ",
                         part["state"].text_or(""), ", and is ", to_text(task->end->state))};
  if (part["instead_of"].text_or("") != wanted)
    throw Violation{text("a part of a project, ", to_text(id), ", is told as one instead of ",
                         part["instead_of"].text_or("none"))};
}

void ProjectRules::on_missing(Origin origin, const std::string& name, const Told& told) const {
  const auto& project = projects_.at({origin, name});
  for (const auto seq : project.tasks) {
    const TaskId id{origin, seq};
    const auto& task = *tasks_.find(id);
    if (!task.end) continue;  // It came since.
    const auto part = told.find(id);
    if (part != told.end()) check_told(id, part->second);
    const bool was_there = task.answered && *task.answered < *project.opened_again;
    if (was_there && task.end->state != TaskState::kDone && part == told.end())
      throw Violation{text(to_text(id), " was not done, and is not told as missing")};
  }
}

void ProjectRules::on_parts(const TaskId& last, const std::string& name, const Told& told) const {
  const auto project = projects_.find({last.origin, name});
  if (project == projects_.end()) return;
  for (const auto seq : project->second.tasks) {
    if (seq > last.seq) break;
    const auto part = told.find({last.origin, seq});
    if (part == told.end())
      throw Violation{text(to_text(TaskId{last.origin, seq}), " is a part of project ", name,
                           ", and its last task is not told of it")};
    check_told(part->first, part->second);
  }
}

// Each part once, in the order in which the tasks were submitted that were to do it first; and of
// those that were to do it one that did, if any did.
void ProjectRules::check_order(const TaskId& last, const Told& told,
                               const std::vector<TaskId>& order, bool is_whole) {
  const auto part_of = [&](const TaskId& id) {
    return *parse_task_id(told.at(id)["instead_of"].text_or(to_text(id)));
  };
  const auto is_done = [&](const TaskId& id) {
    return told.at(id)["state"].text_or("") == "done";
  };
  std::map<TaskId, bool> parts;  // Whether they were done.
  for (const auto& [id, part] : told) parts[part_of(id)] |= is_done(id);
  if (order.size() != parts.size())
    throw Violation{text(to_text(last), " puts together ", order.size(), " parts of ",
                         parts.size())};
  auto part = parts.begin();
  bool is_missing = false;
  for (const auto& id : order) {
    const auto& [wanted, was_done] = *part++;
    if (part_of(id) != wanted)
      throw Violation{text(to_text(last), " puts ", to_text(id), " where ", to_text(wanted),
                           " belongs")};
    if (is_done(id) != was_done)
      throw Violation{text(to_text(last), " takes ", to_text(id), " for a part that another did")};
    is_missing = is_missing || !was_done;
  }
  if (is_whole == is_missing)
    throw Violation{text(to_text(last), is_whole ? " leaves out" : " misses",
                         " parts of its project, which are ", is_missing ? "not all" : "all",
                         " done")};
}

void ProjectRules::check_end() const {
  for (const auto& [key, project] : projects_) {
    if (!project.is_closed) continue;
    if (project.ends < project.ends_max)
      throw Violation{text("project ", key.second, " is closed, and its last task never ended")};
  }
}

}  // namespace eole::simulation
