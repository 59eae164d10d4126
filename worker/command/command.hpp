#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "worker/command/box.hpp"
#include "worker/command/cgroup.hpp"
#include "worker/runners/frames/frames.hpp"

namespace eole::command {

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=VALUE: all of its environment.
  std::string cwd;
  std::string input;  // Its standard input.
  enum class Use {
    kTask,
    /// A script in place of a runner: what it prints is its task's value, what it leaves in its
    /// directory are the task's files.
    kScript,
    /// Something before the task's own command: its end is told only if it fails.
    kStep,
  };
  Use use = Use::kTask;
  bool has_limits = false;              // On what it may take.
  std::optional<Cgroup> cgroup = {};    // That it runs in; without one, limits are of each process.
  std::optional<BoxContents> box = {};  // That it runs in.
  std::string commit = {};              // Of its code, if that came from git.
};

/// What an exec task names, with the surroundings that a command has: as cron has it, the user's
/// home, and this process's PATH, for a worker was started with tools; those of a box, in one. Or
/// what is wrong with it.
Expected<Command> command_of(const frames::Run& run, bool is_boxed);
/// What runs a script for a task, in this process's environment.
Expected<Command> script_of(const frames::Run& run, std::vector<std::string> argv);

}  // namespace eole::command
