#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/within.hpp"
#include "ventilator/core/fleet.hpp"
#include "ventilator/core/gates/gates.hpp"
#include "ventilator/core/projects.hpp"
#include "ventilator/core/task_class.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// What people ask about a project: its tasks that are not settled, and what else is known.
struct ProjectView {
  std::string name;
  std::uint64_t waiting = 0;
  std::uint64_t queued = 0;
  std::uint64_t running = 0;
  std::optional<Project> known = {};
};

/// Counts the tasks of projects where they are, which costs a look at each that is more than
/// queued: so that no task has to be counted before somebody asks. Made for an answer, of parts
/// that outlive it.
class ProjectCounts {
 public:
  ProjectCounts(const TaskClasses& classes, const Projects& projects, const Tasks& tasks,
                const Gates& gates, const Fleet& fleet)
      : classes_(classes), projects_(projects), tasks_(tasks), gates_(gates), fleet_(fleet) {}

  /// Of the projects behind `after`, by name, at most so many.
  std::vector<ProjectView> list(std::string_view after, std::size_t most,
                                const Within& within) const;
  /// Of all projects within: waiting, queued and running; name and all else are empty.
  ProjectView sum(const Within& within) const;
  /// Nothing if it has no task that is not settled, and nothing else is known of it.
  std::optional<ProjectView> of(const std::string& name) const;
  /// How many of their tasks each worker has.
  std::map<std::string, std::uint64_t> held_by_workers(const Within& within) const;

 private:
  using Views = std::map<std::string, ProjectView, std::less<>>;
  std::vector<ProjectView> counted(Views views) const;

  const TaskClasses& classes_;
  const Projects& projects_;
  const Tasks& tasks_;
  const Gates& gates_;
  const Fleet& fleet_;
};

}  // namespace eole::ventilator
