#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>

#include "cli/common.hpp"
#include "cli/ledger/layout.hpp"

namespace eole::cli::ledger {

/// Files of one repository, by their paths.
using Files = std::map<std::string, std::string>;

/// What the cluster is set to: limits, schedules, pauses, kinds, groups, chains, alerts, a file each.
Files config_files(Cluster& cluster);
/// What waits or runs, of the projects wanted: the first kListedMost of a queue that may hold
/// millions.
constexpr std::size_t kListedMost = 10'000;
using IsWanted = std::function<bool(const std::string& project)>;
Value::Array listed_tasks(Cluster& cluster, const IsWanted& is_wanted);

/// Projects as people see them: those that have changed since the last look.
class ProjectViews {
 public:
  explicit ProjectViews(IsWanted is_wanted) : is_wanted_(std::move(is_wanted)) {}
  /// `touched`: something of these has ended. The first look has all that are known.
  Files look(Cluster& cluster, std::set<std::string> touched);

 private:
  IsWanted is_wanted_;
  bool is_first_ = true;
  std::map<std::string, Value> live_;  // As the ventilator said.
};

}  // namespace eole::cli::ledger
