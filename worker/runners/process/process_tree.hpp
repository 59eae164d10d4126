#pragma once
#include <sys/types.h>

#include <vector>

namespace eole::worker {

/// The children of this process's first thread: it adopts orphans. On a kernel that does not list
/// them, those of the other threads, too.
std::vector<pid_t> adopted_children();
/// Everything below this process, as far as it can be seen at a glance.
std::vector<pid_t> descendants();

}  // namespace eole::worker
