#include "ventilator/core/shares.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

namespace {

constexpr std::uint64_t kUnknownTime = 1'000;  // Of a task, as long as none has ended.
constexpr std::uint64_t kHandingOver = 10;     // What a task costs that takes no time.
constexpr std::uint64_t kTurn = 10'000;        // More than one has before it is another's turn.
constexpr std::uint64_t kEndedLately = 64;  // Of so many, or twice, it is known how long they took.

void add(Shares::Ran& lately, const Shares::Ran& ran) {
  lately.time += ran.time;
  lately.attempts += ran.attempts;
  for (; lately.attempts >= 2 * kEndedLately; lately.attempts /= 2) lately.time /= 2;
}

}  // namespace

Shares::Project& Shares::enter(const std::string& name, std::optional<std::uint64_t> least) {
  if (projects_.size() >= kSharesMax)
    std::erase_if(projects_, [](const auto& entry) { return entry.second.entered == 0; });
  const auto [found, is_new] = projects_.try_emplace(name, Project{name});
  auto& project = found->second;
  if (is_new && projects_.size() == 2)  // What ended while one was alone nobody told.
    for (auto& entry : projects_) entry.second.running.clear(), entry.second.running_time = 0;
  ++entered_;
  const auto begin = planted("begins-anywhere") ? floor_ : least.value_or(floor_);
  if (project.entered++ == 0) raise(project, begin);
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
    if (lately->attempts > 0) return lately->time / lately->attempts + kHandingOver;
  return kUnknownTime;
}

void Shares::charge(Project& project) const {
  project.charged = std::max(project.leased * time_of_task(project), project.running_time);
}

void Shares::on_leased(Project& project, std::uint64_t tasks) {
  floor_ = project.served();
  if (!is_shared() || planted("shares-not-counted")) return;
  project.leased += tasks;
  charge(project);
}

void Shares::on_ran(const std::string& name, const Ran& ran, std::uint64_t each_most) {
  const auto found = projects_.find(name);
  if (found == projects_.end() || planted("told-times-ignored")) return;
  auto& project = found->second;
  add(project.lately, ran);
  add(lately_, ran);
  const bool is_long = ran.time / ran.attempts > each_most;
  project.ran += (is_long ? ran.attempts * each_most : ran.time) + ran.attempts * kHandingOver;
  charge(project);
}

void Shares::on_runs(const std::string& name, Seq seq, std::uint64_t time) {
  const auto found = projects_.find(name);
  if (found == projects_.end() || planted("what-runs-not-counted")) return;
  auto& project = found->second;
  project.running[seq] += time;
  project.running_time += time;
  charge(project);
}

void Shares::on_ended(const std::string& name, Seq seq, bool is_told) {
  const auto found = projects_.find(name);
  if (found == projects_.end()) return;
  auto& project = found->second;
  if (project.leased > 0) --project.leased;
  if (const auto run = project.running.extract(seq)) {
    project.running_time -= run.mapped();
    if (!is_told) project.ran += run.mapped();
  }
  charge(project);
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
    charge(project);
  }
  std::erase_if(projects_, [this](const auto& entry) { return is_over(entry.second); });
}

std::uint64_t Shares::turn(const Project& project, std::uint64_t served) const {
  const auto time = std::max(served, project.served()) - project.served() + kTurn;
  return std::max<std::uint64_t>(time / time_of_task(project), 1);
}

}  // namespace eole::ventilator
