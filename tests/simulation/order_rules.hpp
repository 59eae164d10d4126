#pragma once
#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// Tasks of a key one by one in their order; a task after its parents.
class OrderRules {
 public:
  explicit OrderRules(const Tasks& tasks) : tasks_(tasks) {}
  void on_known(const TaskId& id, const Plan& plan);
  void on_begin(const TaskId& id, const Plan& plan) const;
  /// It never began.
  void on_unbegun_end(const TaskId& id, const SeenTask& task) const;

 private:
  void check_key(const TaskId& id, const std::string& key) const;
  bool has_parent_not_done(const TaskId& id, const Plan& plan) const;

  const Tasks& tasks_;
  std::map<std::pair<Origin, std::string>, std::set<Seq>> keyed_;
};

}  // namespace eole::simulation
