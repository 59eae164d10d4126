#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::command {

/// What stands between a command and the machine that it runs on.
enum class Level {
  kNone,    // It may do what its user may.
  kLimits,  // So it may, but not more than so much of everything, nor become somebody else.
  kBox,     // It sees the system's programs, its own directory, and nothing else.
};
constexpr std::string_view kLevels[] = {"none", "limits", "box"};
Expected<Level> level_of(std::string_view name);

/// What an operator decides of the commands of a worker.
struct Settings {
  Level level = Level::kNone;
  bool has_net = false;                  // In a box, too.
  bool has_git_files = false;            // A repository may be a directory of this machine.
  std::string mirrors = {};              // The directory of the repositories that were fetched.
  std::string cgroups = {};              // Where each command has a group of its own; or nowhere.
  std::vector<std::string> hidden = {};  // Directories and files that no box shows.

  /// As words of a command line, and back.
  std::vector<std::string> words() const;
  static Settings from(const std::vector<std::string>& words);
};

}  // namespace eole::command
