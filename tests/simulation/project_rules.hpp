#pragma once
#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// A project is over once all of its tasks have ended, and then its last task comes, once.
class ProjectRules {
 public:
  explicit ProjectRules(const Tasks& tasks) : tasks_(tasks) {}
  void on_opened(Origin origin, const std::string& project, TimePoint now) {
    projects_[{origin, project}].opened = now;
  }
  /// It takes no more tasks.
  void on_closed(Origin origin, const std::string& project) {
    projects_[{origin, project}].is_closed = true;
  }
  void on_known(const TaskId& id, const Plan& plan);
  void on_begin(const TaskId& id, const Plan& plan);
  void check_end() const;

 private:
  struct Project {
    std::optional<TimePoint> opened;
    bool is_closed = false;
    std::set<Seq> tasks;
    Seq last = 0;          // Its last task, which began.
    bool is_over = false;  // A task that waits for it began, or the last one.
  };
  void check_over(const TaskId& id, Project& project, const std::string& name) const;
  void check_parent(const TaskId& id, const Plan& plan, Project& project,
                    const std::string& name) const;

  const Tasks& tasks_;
  std::map<std::pair<Origin, std::string>, Project> projects_;
};

}  // namespace eole::simulation
