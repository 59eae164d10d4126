#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// What is within a prefix of projects, and what is not: who acts within one sees nothing else, and
/// changes nothing else; nor has it more under way than it may.
class TenantRules {
 public:
  explicit TenantRules(const Tasks& tasks) : tasks_(tasks) {}
  /// From here on no more tasks of the prefix are under way.
  void on_quota(Origin origin, const std::string& prefix, std::uint64_t most) {
    quotas_[{origin, prefix}] = most;
  }
  /// It was accepted; its end may be known already.
  void on_answer(const TaskId& id, const SeenTask& task) const;
  /// Somebody within the prefix was told of something that is in this project.
  static void on_seen(std::string_view prefix, std::string_view project);
  /// The tasks of a ventilator that are known, of all prefixes.
  std::vector<TaskId> known(Origin origin) const;
  bool is_inside(std::string_view prefix, const TaskId& id) const;

 private:
  const Tasks& tasks_;
  std::map<std::pair<Origin, std::string>, std::uint64_t> quotas_;
};

}  // namespace eole::simulation
