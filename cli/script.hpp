#pragma once
#include <string>

#include "cli/common.hpp"

namespace eole::cli {

/// A script of the user's on its way to whatever worker runs a command.
struct Script {
  std::string program;  // By which the command finds it in its directory.
  Value files;          // The task's argument that lays it there.
};

/// What it will be called there; uploads nothing.
std::string program_of(const std::string& path);
/// Uploads it. Throws Failure: there is no such file, or the sink cannot be reached.
Script put_script(const std::string& path, Cluster& cluster);

}  // namespace eole::cli
