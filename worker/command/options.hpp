#pragma once
#include <string>
#include <vector>

#include "common/process/options.hpp"
#include "worker/command/settings.hpp"

namespace eole::command {

/// What a worker's command line says of commands.
struct CommandOptions {
  bool are_allowed = false;
  std::string level = std::string(kLevels[0]);
  Settings settings;
  void add_flags(process::Options& flags);
  /// The settings of a worker with this scratch directory, these git mirrors, this cluster file and
  /// these files of secrets (empty: none).
  /// Throws std::runtime_error if the level does not work here: who wants a box and cannot have it
  /// wants no worker.
  Settings settled(const std::string& scratch, const std::string& mirrors,
                   const std::string& cluster_file,
                   const std::vector<std::string>& secrets) const;
};

}  // namespace eole::command
