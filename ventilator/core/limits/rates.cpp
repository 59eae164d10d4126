#include "ventilator/core/limits/rates.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

namespace {
constexpr double kTurnSeconds = 0.01;  // More often a turn is not worth it.
}

void Rates::set(const Scope& scope, double per_second, TimePoint now) {
  if (per_second <= 0) {
    rates_.erase(scope);
    return;
  }
  rates_[scope].set(per_second, now);
}

void Rates::refresh(TimePoint now) {
  for (auto& [scope, rate] : rates_) rate.refresh(now);
}

std::uint64_t Rates::room(const protocol::TaskClass& task_class, TimePoint now) const {
  auto room = kNoLimit;
  if (rates_.empty() || planted("rate-ignored")) return room;
  for (const auto& scope : scopes_of(task_class))
    if (const auto found = rates_.find(scope); found != rates_.end())
      room = std::min(room, static_cast<std::uint64_t>(std::max(0.0, found->second.left_at(now))));
  return room;
}

void Rates::on_leased(const protocol::TaskClass& task_class, std::uint64_t count, TimePoint now) {
  if (rates_.empty()) return;
  for (const auto& scope : scopes_of(task_class))
    if (const auto found = rates_.find(scope); found != rates_.end())
      found->second.take(count, now);
}

std::optional<TimePoint> Rates::next_deadline() const {
  std::optional<TimePoint> next;
  for (const auto& [scope, rate] : rates_) {
    const auto wanted = std::clamp(rate.per_second * kTurnSeconds, 1.0, rate.most());
    if (rate.left >= wanted) continue;
    next = next ? std::min(*next, rate.when(wanted)) : rate.when(wanted);
  }
  return next;
}

std::optional<Why> Rates::why(const protocol::TaskClass& task_class) const {
  if (rates_.empty()) return std::nullopt;
  for (const auto& scope : scopes_of(task_class))
    if (const auto found = rates_.find(scope); found != rates_.end() && found->second.left < 1)
      return found->second.why(to_text(scope));
  return std::nullopt;
}

}  // namespace eole::ventilator
