#include "ventilator/core/placement.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "ventilator/core/limits/limit.hpp"

namespace eole::ventilator {

// What is malformed was refused when it was submitted.
const Placement::Wants& Placement::of(const protocol::TaskClass& task_class) const {
  const Written written(task_class.needs, task_class.place);
  if (const auto known = wants_.find(written); known != wants_.end()) return known->second;
  if (wants_.size() >= kClassesMax) wants_.clear();
  Wants wants;
  if (auto needs = protocol::parse_needs(task_class.needs)) wants.needs = std::move(*needs);
  if (auto place = protocol::parse_place(task_class.place)) wants.place = std::move(*place);
  return wants_.emplace(written, std::move(wants)).first->second;
}

bool Placement::has(const protocol::Offers& offers, const std::vector<protocol::Need>& needs) {
  return std::all_of(needs.begin(), needs.end(), [&](const protocol::Need& need) {
    if (const auto label = offers.labels.find(need.name); label != offers.labels.end())
      return label->second == need.value;
    const auto resource = offers.resources.find(need.name);
    return resource != offers.resources.end() && need.amount && resource->second >= *need.amount;
  });
}

void Placement::add(ClassId id, const protocol::TaskClass& task_class) {
  if (is_plain(task_class) || counted_.contains(id)) return;
  counted_.emplace(id, Counted{task_class.project, of(task_class).needs});
}

void Placement::add(Amounts& amounts, const std::string& name, std::uint64_t more) {
  const auto found = amounts.try_emplace(name).first;
  if ((found->second += more) == 0) amounts.erase(found);
}

void Placement::count(RunId run, ClassId id, std::uint64_t more) {
  const auto counted = counted_.find(id);
  if (counted == counted_.end()) return;
  auto& leased = leased_[run];
  for (const auto& need : counted->second.needs)
    if (need.amount) add(leased.taken, need.name, more * *need.amount);
  add(leased.projects, counted->second.project, more);
  leased.tasks += more;
  if (leased.tasks == 0) leased_.erase(run);
}

std::uint64_t Placement::free(RunId run, const protocol::Offers& offers,
                              std::string_view name) const {
  const auto offered = offers.resources.find(name);
  if (offered == offers.resources.end()) return 0;
  const auto leased = leased_.find(run);
  if (leased == leased_.end() || planted("resources-not-counted")) return offered->second;
  const auto taken = leased->second.taken.find(name);
  if (taken == leased->second.taken.end()) return offered->second;
  return offered->second - std::min(offered->second, taken->second);
}

bool Placement::is_kept(RunId run, const std::vector<protocol::Need>& needs) const {
  if (kept_.first != run || kept_.second == needs) return false;
  return std::any_of(needs.begin(), needs.end(), [&](const protocol::Need& need) {
    return need.amount && std::any_of(kept_.second.begin(), kept_.second.end(),
                                      [&](const auto& kept) { return kept.name == need.name; });
  });
}

std::uint64_t Placement::room(RunId run, const protocol::Offers& offers,
                              const std::vector<protocol::Need>& needs) const {
  if (is_kept(run, needs)) return 0;
  auto room = kNoLimit;
  for (const auto& need : needs)
    if (need.amount && offers.resources.contains(need.name))
      room = std::min(room, free(run, offers, need.name) / *need.amount);
  return room;
}

std::uint64_t Placement::of_project(RunId run, std::string_view project) const {
  const auto leased = leased_.find(run);
  if (leased == leased_.end()) return 0;
  const auto tasks = leased->second.projects.find(project);
  return tasks == leased->second.projects.end() ? 0 : tasks->second;
}

std::size_t Placement::names(RunId run) const {
  const auto leased = leased_.find(run);
  if (leased == leased_.end()) return 0;
  return leased->second.taken.size() + leased->second.projects.size();
}

}  // namespace eole::ventilator
