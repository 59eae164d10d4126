#pragma once
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "worker/runners/frames/frames.hpp"

namespace eole::command {

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=VALUE: all of its environment.
  std::string cwd;
  std::string input;  // Its standard input.
};

/// What an exec task names, with the surroundings that a command has: as cron has it, the user's
/// home, and this process's PATH, for a worker was started with tools. Or what is wrong with it.
Expected<Command> command_of(const frames::Run& run);

}  // namespace eole::command
