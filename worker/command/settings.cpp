#include "worker/command/settings.hpp"

#include <algorithm>
#include <iterator>

#include "common/base/text.hpp"

namespace eole::command {

Expected<Level> level_of(std::string_view name) {
  const auto* found = std::find(std::begin(kLevels), std::end(kLevels), name);
  if (found != std::end(kLevels)) return static_cast<Level>(found - std::begin(kLevels));
  return Error{text("--sandbox ", name, ": is none, limits or box")};
}

std::vector<std::string> Settings::words() const {
  std::vector<std::string> words{std::string(kLevels[static_cast<std::size_t>(level)]),
                                 has_net ? "net" : "", has_git_files ? "files" : "", mirrors,
                                 cgroups};
  words.insert(words.end(), hidden.begin(), hidden.end());
  return words;
}

Settings Settings::from(const std::vector<std::string>& words) {
  if (words.size() < 5) return {};
  const auto level = level_of(words[0]);
  return {.level = level ? *level : Level::kBox,
          .has_net = !words[1].empty(),
          .has_git_files = !words[2].empty(),
          .mirrors = words[3],
          .cgroups = words[4],
          .hidden = {words.begin() + 5, words.end()}};
}

}  // namespace eole::command
