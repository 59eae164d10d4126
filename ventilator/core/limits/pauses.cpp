#include "ventilator/core/limits/pauses.hpp"

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

void Pauses::set(const Scope& scope, bool is_paused) {
  if (is_paused) {
    paused_.insert(scope);
  } else {
    paused_.erase(scope);
  }
}

std::vector<std::string> Pauses::list() const {
  std::vector<std::string> list;
  for (const auto& scope : paused_) list.push_back(to_text(scope));
  return list;
}

std::uint64_t Pauses::room(const protocol::TaskClass& task_class, TimePoint) const {
  return why(task_class) && !planted("paused-and-leased") ? 0 : kNoLimit;
}

std::optional<Why> Pauses::why(const protocol::TaskClass& task_class) const {
  if (paused_.empty()) return std::nullopt;
  for (const auto& scope : scopes_of(task_class))
    if (paused_.contains(scope)) return Why{"paused", text(to_text(scope), " is paused")};
  return std::nullopt;
}

}  // namespace eole::ventilator
