#pragma once
#include <cstdint>
#include <string>

#include "common/base/expected.hpp"
#include "worker/runners/process/child_processes.hpp"

namespace eole::worker {

struct PictureJob {
  std::string input;   // Files of the worker's own.
  std::string output;  // Made; must not be there.
  std::int64_t quality = 0;
  std::int64_t width = 0;  // The box to fit in, zero: no bound.
  std::int64_t height = 0;
};

struct Picture {
  int width = 0;
  int height = 0;
  bool is_plain = false;  // The input shows the same, for everyone.
};

/// Runs eole-picture, which lies beside this program, in a process of its own with limits: what a
/// hostile file does to its decoder costs this attempt alone. `cancel_fd` readable kills it. On
/// return the process is gone. Any thread.
Expected<Picture> run_picture_program(const PictureJob& job, ChildProcesses& processes,
                                      int cancel_fd);

}  // namespace eole::worker
