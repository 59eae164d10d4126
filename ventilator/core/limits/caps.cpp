#include "ventilator/core/limits/caps.hpp"

#include <algorithm>

#include "common/base/counted.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

void Caps::set(const Scope& scope, std::uint64_t most) {
  if (most == 0) {
    caps_.erase(scope);
  } else {
    caps_[scope].most = most;
  }
}

void Caps::recount() {
  for (auto& [scope, cap] : caps_) cap.leased = 0;
}

void Caps::count(const protocol::TaskClass& task_class, std::uint64_t leased) {
  if (caps_.empty()) return;
  for (const auto& scope : scopes_of(task_class))
    if (const auto found = caps_.find(scope); found != caps_.end()) found->second.leased += leased;
}

std::uint64_t Caps::room(const protocol::TaskClass& task_class, TimePoint) const {
  auto room = kNoLimit;
  if (caps_.empty() || planted("cap-passed")) return room;
  for (const auto& scope : scopes_of(task_class)) {
    const auto found = caps_.find(scope);
    if (found == caps_.end()) continue;
    const auto& [most, leased] = found->second;
    room = std::min(room, most - std::min(most, leased));
  }
  return room;
}

std::optional<Why> Caps::why(const protocol::TaskClass& task_class) const {
  if (caps_.empty()) return std::nullopt;
  for (const auto& scope : scopes_of(task_class)) {
    const auto found = caps_.find(scope);
    if (found != caps_.end() && found->second.leased >= found->second.most)
      return Why{"cap", text(to_text(scope), " has ", counted(found->second.leased, "task"),
                             " running, limit ", found->second.most)};
  }
  return std::nullopt;
}

}  // namespace eole::ventilator
