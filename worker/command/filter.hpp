#pragma once
#include <linux/filter.h>

#include <vector>

namespace eole::command {

/// The seccomp filter of a box. It denies what no command needs to compute something, and what
/// kernels had most of their holes in.
std::vector<sock_filter> box_filter();

}  // namespace eole::command
