#pragma once
#include <cstdint>
#include <string>

#include "common/base/expected.hpp"
#include "worker/command/command.hpp"
#include "worker/command/settings.hpp"

namespace eole::command {

/// Where a task's code comes from.
struct Source {
  std::string url;
  std::string revision;    // Empty: what the repository shows first.
  std::int64_t depth = 0;  // Commits of its history; zero: all.
  std::string secret = {};  // USER:PASSWORD, or a token alone, for its host; empty: none.
  std::string secret_name = {};
};

/// The bare repository that holds what was fetched of it.
std::string mirror_of(const Settings& settings, const Source& source);

/// What lays a clean checkout into `directory` and prints the commit. It fetches
/// into the mirror what is not there yet, one at a time. Errors: what of the source is refused. Git
/// runs as the worker's user, with its settings and keys, but asks nobody, runs no hook, and uses
/// no way to a repository but those that are allowed.
Expected<Command> checkout_of(const Source& source, const std::string& directory,
                              const Settings& settings);

}  // namespace eole::command
