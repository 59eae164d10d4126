#pragma once
#include <map>
#include <vector>

#include "cli/common.hpp"
#include "clients/cpp/tasks/task_request.hpp"

namespace eole::cli {

using client::After;
using client::TaskRequest;

/// Which parts of a project nobody did. A part is called by the first task that was to do it.
struct Missing {
  std::map<TaskId, TaskId> parts;    // And who tried last.
  std::map<TaskId, TaskId> part_of;  // Of each task that was not done, whether missing or not.
  std::map<TaskId, TaskId> done;     // Who did a part anew.
};
Missing missing_of(Cluster& cluster, const std::string& project);

/// The tasks that do them anew, in the parts' order: those that waited for one that was not done
/// wait for who does it now, or did. Throws Failure if the log does not have one of them.
std::vector<TaskRequest> tasks_anew(Cluster& cluster, const Missing& missing);

/// The same of one task: `raw` is a submit's payload, `index_of` the place of each missing part.
Expected<TaskRequest> task_anew(std::string_view raw, const Missing& missing,
                                const std::map<TaskId, std::uint64_t>& index_of);

}  // namespace eole::cli
