#include "ventilator/core/limits/shares.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

namespace {

constexpr std::uint64_t kUnknownTime = 1'000;  // Of a task, as long as none has ended.
constexpr std::uint64_t kHandingOver = 10;     // What a task costs that takes no time.
constexpr std::uint64_t kTurn = 10'000;        // More than one has before it is another's turn.
constexpr std::uint64_t kEndedLately = 128;    // Of so many it is known how long they took.

void add(Shares::Project::Lately& lately, std::uint64_t ran, std::uint64_t ended) {
  lately.ran += ran;
  lately.ended += ended;
  if (lately.ended < kEndedLately) return;
  lately.ran /= 2;
  lately.ended /= 2;
}

}  // namespace

Shares::Project& Shares::enter(const std::string& name) {
  if (projects_.size() >= kSharesMax)
    std::erase_if(projects_, [](const auto& entry) { return entry.second.entered == 0; });
  auto& project = projects_.try_emplace(name, Project{name}).first->second;
  ++entered_;
  if (project.entered++ == 0 && project.served() < floor_) project.ran = floor_ - project.charged;
  return project;
}

// Who had more than others is remembered as long as they have not caught up, and whose tasks run.
void Shares::leave(Project& project) {
  --entered_;
  if (--project.entered == 0 && project.leased == 0 && project.served() <= floor_)
    projects_.erase(std::string(project.name));
  if (entered_ > 0) return;
  std::erase_if(projects_, [](const auto& entry) { return entry.second.leased == 0; });
  if (projects_.empty()) floor_ = 0;
}

std::uint64_t Shares::time_of_task(const Project& project) const {
  for (const auto* lately : {&project.lately, &lately_})
    if (lately->ended > 0) return lately->ran / lately->ended + kHandingOver;
  return kUnknownTime;
}

void Shares::on_leased(Project& project, std::uint64_t tasks) {
  floor_ = project.served();
  if (!is_shared() || planted("shares-not-counted")) return;
  project.leased += tasks;
  project.charged += tasks * time_of_task(project);
}

void Shares::on_ran(const std::string& name, std::uint64_t time) {
  const auto found = projects_.find(name);
  if (found == projects_.end() || planted("shares-by-number")) return;
  auto& project = found->second;
  project.ran += time;
  project.charged -= std::min(project.charged, time);
  add(project.lately, time, 0);
  add(lately_, time, 0);
}

void Shares::on_ended(const std::string& name, std::uint64_t tasks) {
  const auto found = projects_.find(name);
  if (found == projects_.end()) return;
  auto& project = found->second;
  project.leased -= std::min(project.leased, tasks);
  if (!planted("shares-by-number")) {
    add(project.lately, 0, tasks);
    add(lately_, 0, tasks);
    project.ran += tasks * kHandingOver;
    project.charged = std::min(project.charged, project.leased * time_of_task(project));
  }
  if (is_over(project)) projects_.erase(found);
}

bool Shares::is_over(const Project& project) const {
  return project.entered == 0 && project.leased == 0 &&
         (entered_ == 0 || project.served() <= floor_);
}

void Shares::put_right(const Leased& leased) {
  for (auto& [name, project] : projects_) {
    const auto found = leased.find(name);
    project.leased = found == leased.end() ? 0 : found->second;
    project.charged = std::min(project.charged, project.leased * time_of_task(project));
  }
  std::erase_if(projects_, [this](const auto& entry) { return is_over(entry.second); });
}

std::uint64_t Shares::turn(const Project& project, std::uint64_t served) const {
  const auto time = std::max(served, project.served()) - project.served() + kTurn;
  return std::max<std::uint64_t>(time / time_of_task(project), 1);
}

}  // namespace eole::ventilator
