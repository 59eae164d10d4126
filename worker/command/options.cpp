#include "worker/command/options.hpp"

#include <filesystem>
#include <stdexcept>

#include "worker/command/sandbox.hpp"

namespace eole::command {

namespace fs = std::filesystem;

void CommandOptions::add_flags(process::Options& flags) {
  flags.toggle("--allow-exec", are_allowed, "run the commands that exec tasks name");
  flags.text("--sandbox", level, "LEVEL",
             "around commands: none, limits, or box (without network or this machine's files)");
  flags.toggle("--sandbox-net", settings.has_net, "a box has the network");
  flags.toggle("--allow-git-files", settings.has_git_files,
               "the repositories that exec tasks name may be file:// of this machine");
}

Settings CommandOptions::settled(const std::string& scratch, const std::string& mirrors,
                                 const std::string& cluster_file,
                                 const std::vector<std::string>& secrets) const {
  const auto wanted = level_of(level);
  if (!wanted) throw std::runtime_error(wanted.error().message);
  auto settled = settings;
  settled.level = *wanted;
  settled.mirrors = mirrors;
  for (const auto& path : {fs::path(scratch), fs::absolute(cluster_file).parent_path()})
    settled.hidden.push_back(fs::weakly_canonical(path).string());
  for (const auto& path : secrets)
    if (!path.empty()) settled.hidden.push_back(fs::weakly_canonical(path).string());
  if (const auto works = try_level(settled, scratch); !works)
    throw std::runtime_error(works.error().message);
  return settled;
}

}  // namespace eole::command
