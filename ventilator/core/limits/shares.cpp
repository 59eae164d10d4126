#include "ventilator/core/limits/shares.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

Shares::Project& Shares::enter(const std::string& name) {
  if (projects_.size() >= kSharesMax)
    std::erase_if(projects_, [](const auto& entry) { return entry.second.entered == 0; });
  auto& project = projects_.try_emplace(name, Project{name}).first->second;
  ++entered_;
  if (project.entered++ == 0) project.served = std::max(project.served, floor_);
  return project;
}

// Who had more than others is remembered as long as they have not caught up.
void Shares::leave(Project& project) {
  --entered_;
  if (--project.entered == 0 && project.served <= floor_)
    projects_.erase(std::string(project.name));
  if (entered_ > 0) return;
  projects_.clear();
  floor_ = 0;
}

void Shares::on_leased(Project& project, std::uint64_t tasks) {
  floor_ = std::max(floor_, project.served);
  if (!planted("shares-not-counted")) project.served += tasks;
}

}  // namespace eole::ventilator
