#include "sink/core/runs.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::sink {

std::uint64_t Runs::level(RunId run, Origin origin) const {
  const auto known = runs_.find(run);
  if (known == runs_.end()) return 0;
  const auto level = known->second.levels.find(origin);
  return level == known->second.levels.end() ? 0 : level->second;
}

bool Runs::may_use(RunId run, std::string_view user) const {
  const auto known = runs_.find(run);
  return known == runs_.end() || known->second.user->first == user || planted("runs-are-anyones");
}

bool Runs::claim(RunId run, std::string_view user) {
  const auto [known, is_new] = runs_.try_emplace(run);
  if (!is_new) return false;
  auto& entry = known->second;
  entry.user = users_.try_emplace(std::string(user)).first;
  auto& used = entry.user->second;
  entry.place = used.insert(used.end(), run);
  if (used.size() > kRunsPerUserMax && !planted("runs-kept-for-ever")) {
    runs_.erase(used.front());
    used.pop_front();
  }
  return true;
}

void Runs::raise(RunId run, Origin origin, std::uint64_t level) {
  const auto known = runs_.find(run);
  if (known == runs_.end()) return;
  auto& entry = known->second;
  auto& used = entry.user->second;
  used.splice(used.end(), used, entry.place);
  auto& highest = entry.levels[origin];
  highest = std::max(highest, level);
}

}  // namespace eole::sink
