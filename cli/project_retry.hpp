#pragma once
#include <vector>

#include "cli/common.hpp"
#include "clients/cpp/tasks/project_anew.hpp"

namespace eole::cli {

using client::Missing;
using client::TaskRequest;

/// `after`: of a retry that did not come to its end, the last task before it; empty: there is none.
Missing missing_of(Cluster& cluster, const std::string& project, const std::string& after = "");

/// The tasks that do them anew, in the parts' order. Throws Failure if the log does not have one of
/// them.
std::vector<TaskRequest> tasks_anew(Cluster& cluster, const Missing& missing);

}  // namespace eole::cli
