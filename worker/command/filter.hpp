#pragma once

namespace eole::command {

/// A file with the seccomp filter of a box, as bubblewrap reads it: from where it stands. It denies
/// what no command needs to compute something, and what kernels had most of their holes in.
int filter_file();

}  // namespace eole::command
