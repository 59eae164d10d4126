#pragma once
#include <string>
#include <vector>

#include "cli/common.hpp"

namespace eole::cli {

/// Lists a project's dead letters.
void list_dead(const std::string& project, const Globals& globals);
/// Submits these letters of a project (none: all of it) as tasks that give their arguments back, and takes
/// them off the list; the exit code.
int give_back_dead(const std::string& project, const std::vector<std::string>& ids,
                   const Globals& globals);

}  // namespace eole::cli
