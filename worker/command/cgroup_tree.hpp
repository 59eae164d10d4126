#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/process/descriptor.hpp"
#include "worker/command/settings.hpp"

namespace eole::command {

/// The groups of a worker's commands (cgroup v2), each below a directory of this worker's own.
class CgroupTree {
 public:
  /// Of a process that has no children yet: it moves into the tree itself. Removes what earlier
  /// workers left. Only for a level that limits; `settings` hear of it, and the log of what it
  /// bounds.
  CgroupTree(bool are_commands_allowed, Settings& settings);
  ~CgroupTree();
  CgroupTree(const CgroupTree&) = delete;
  CgroupTree& operator=(const CgroupTree&) = delete;

 private:
  Expected<void> make();
  void leave();

  std::string place_;  // This process's group, before.
  std::string directory_;
  process::Descriptor lock_{-1};  // Held as long as this worker lives: else it was left.
  Expected<std::vector<std::string>> controllers_ = std::vector<std::string>{};
};

/// What a worker would have here, if it were alone in this process's group.
std::string told_of_cgroups();

/// Where the files of a process's group are, of its /proc/PID/cgroup and /proc/PID/mountinfo;
/// empty: it is in none that is mounted.
std::string cgroup_directory(std::string_view groups, std::string_view mounts);

}  // namespace eole::command
