#include "sink/core/runs.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::sink {

std::uint64_t Runs::level(RunId run) const {
  const auto known = runs_.find(run);
  return known == runs_.end() ? 0 : known->second.level;
}

bool Runs::may_use(RunId run, std::string_view user) const {
  const auto known = runs_.find(run);
  return known == runs_.end() || known->second.user->first == user || planted("runs-are-anyones");
}

const std::string* Runs::user_of(RunId run) const {
  const auto known = runs_.find(run);
  return known == runs_.end() ? nullptr : &known->second.user->first;
}

bool Runs::raise(RunId run, std::string_view user, std::uint64_t level) {
  const auto [known, is_new] = runs_.try_emplace(run);
  auto& entry = known->second;
  if (is_new) {
    entry.user = users_.try_emplace(std::string(user)).first;
    auto& used = entry.user->second;
    entry.place = used.insert(used.end(), run);
    if (used.size() > kRunsPerUserMax && !planted("runs-kept-for-ever")) {
      runs_.erase(used.front());
      used.pop_front();
    }
  } else {
    auto& used = entry.user->second;
    used.splice(used.end(), used, entry.place);
  }
  entry.level = std::max(entry.level, level);
  return is_new;
}

}  // namespace eole::sink
