#include "ventilator/core/project_counts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eole::ventilator {

using State = Task::State;

std::vector<ProjectView> ProjectCounts::list(std::string_view after, std::size_t most,
                                             const Within& within) const {
  Views views;
  classes_.each_project([&](const std::string& name, std::uint64_t live) {
    if (name > after && !name.empty() && within.has(name)) views[name].queued = live;
  });
  projects_.each([&](const std::string& name, const Project& project) {
    if (name > after && within.has(name)) views[name].known = project;
  });
  while (views.size() > most) views.erase(std::prev(views.end()));
  return counted(std::move(views));
}

std::optional<ProjectView> ProjectCounts::of(const std::string& name) const {
  const auto live = classes_.live_of(name);
  const auto* known = projects_.find(name);
  if (live == 0 && known == nullptr) return std::nullopt;
  Views views;
  views[name].queued = live;
  if (known != nullptr) views[name].known = *known;
  return counted(std::move(views)).front();
}

ProjectView ProjectCounts::sum(const Within& within) const {
  ProjectView sum;
  for (const auto& view : list("", SIZE_MAX, within)) {
    sum.waiting += view.waiting;
    sum.queued += view.queued;
    sum.running += view.running;
  }
  return sum;
}

std::map<std::string, std::uint64_t> ProjectCounts::held_by_workers(const Within& within) const {
  std::map<std::string, std::uint64_t> held;
  tasks_.for_each([&](Seq seq, const Task& task) {
    if (!task.is(State::kLeased)) return;
    const auto* task_class = classes_.class_of(seq);
    const auto* worker = fleet_.find(task.run);
    if (task_class != nullptr && worker != nullptr && within.has(task_class->project))
      ++held[worker->about.name];
  });
  return held;
}

// All live tasks are taken for queued until here.
std::vector<ProjectView> ProjectCounts::counted(Views views) const {
  const auto view_of = [&](Seq seq) -> ProjectView* {
    const auto* task_class = classes_.class_of(seq);
    if (task_class == nullptr) return nullptr;
    const auto view = views.find(task_class->project);
    return view == views.end() ? nullptr : &view->second;
  };
  for (const auto& [first, stretch] : classes_.stretches()) {
    if (!stretch.is_conditional) continue;
    if (auto* view = view_of(first)) view->waiting += gates_.size(first, stretch.last);
  }
  tasks_.for_each([&](Seq seq, const Task& task) {
    const bool is_held = task.is(State::kWaiting) && gates_.holds(seq);
    if (task.is(State::kReady) || is_held) return;
    if (auto* view = view_of(seq)) ++(task.is(State::kWaiting) ? view->waiting : view->running);
  });
  std::vector<ProjectView> list;
  for (auto& [name, view] : views) {
    view.name = name;
    view.queued -= std::min(view.queued, view.waiting + view.running);
    list.push_back(std::move(view));
  }
  return list;
}

}  // namespace eole::ventilator
