#pragma once
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/protocol/value.hpp"
#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// A project is over once all of its tasks have ended, and then its last task comes, once.
class ProjectRules {
 public:
  using Told = std::map<TaskId, protocol::Value>;
  explicit ProjectRules(const Tasks& tasks) : tasks_(tasks) {}
  void on_opened(Origin origin, const std::string& project, TimePoint now) {
    projects_[{origin, project}].opened = now;
  }
  /// Of a project that is over. Its tasks and its last one come from now on, too.
  void on_opening_again(Origin origin, const std::string& project, TimePoint now);
  /// Its tasks may end so from now on.
  void on_cancelling(Origin origin, const std::string& project) {
    projects_[{origin, project}].may_be_cancelled = true;
  }
  bool may_be_cancelled(Origin origin, const std::string& project) const;
  /// What was accepted before `asked` is sent to nobody any more.
  void on_cancelled(Origin origin, const std::string& project, TimePoint asked) {
    projects_[{origin, project}].cancelled = asked;
  }
  void on_send(const TaskId& id, const SeenTask& task) const;
  /// As the sink tells of its tasks that were not done, and of those that others did anew.
  void on_missing(Origin origin, const std::string& project, const Told& told) const;
  /// As the sink tells of all of its tasks, when this last one begins.
  void on_parts(const TaskId& last, const std::string& project, const Told& told) const;
  /// What its last task puts together of what it was told: `is_whole` if nothing is missing.
  static void check_order(const TaskId& last, const Told& told, const std::vector<TaskId>& order,
                          bool is_whole);
  /// It takes no more tasks.
  void on_closed(Origin origin, const std::string& project) {
    projects_[{origin, project}].is_closed = true;
  }
  void on_known(const TaskId& id, const Plan& plan);
  void on_begin(const TaskId& id, const Plan& plan);
  /// A last task of the project ended, whoever named it: each time that it is over one does.
  void on_last_ended(const TaskId& id, const std::string& project);
  void check_end() const;

 private:
  struct Project {
    std::optional<TimePoint> opened;
    std::optional<TimePoint> opened_again;  // The last time.
    std::optional<TimePoint> cancelled;
    bool may_be_cancelled = false;
    bool is_closed = false;
    std::set<Seq> tasks;
    Seq last = 0;          // Its last task, which began.
    std::size_t ends = 0;  // Of its last tasks …
    std::size_t ends_max = 1;  // … one for each time that it is closed.
    bool is_over = false;  // A task that waits for it began, or the last one.
  };
  void check_told(const TaskId& id, const protocol::Value& part) const;
  void check_over(const TaskId& id, Project& project, const std::string& name) const;
  void check_parent(const TaskId& id, const Plan& plan, Project& project,
                    const std::string& name) const;

  const Tasks& tasks_;
  std::map<std::pair<Origin, std::string>, Project> projects_;
};

}  // namespace eole::simulation
