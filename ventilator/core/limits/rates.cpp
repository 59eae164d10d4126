#include "ventilator/core/limits/rates.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

namespace {
constexpr double kBurstSeconds = 0.1;
constexpr double kTurnSeconds = 0.01;  // More often a turn is not worth it.

std::string shown(double number) {
  char shown[32];
  std::snprintf(shown, sizeof shown, "%g", number);
  return shown;
}
}  // namespace

double Rates::Rate::most() const { return std::max(1.0, per_second * kBurstSeconds); }

double Rates::Rate::left_at(TimePoint now) const {
  const auto seconds = std::chrono::duration<double>(now - at).count();
  return std::min(most(), left + per_second * std::max(0.0, seconds));
}

void Rates::set(const Scope& scope, double per_second, TimePoint now) {
  if (per_second <= 0) {
    rates_.erase(scope);
    return;
  }
  auto& rate = rates_[scope];
  const bool is_new = rate.per_second == 0;
  rate.per_second = per_second;
  rate.left = is_new ? 1 : std::min(rate.left, rate.most());
  rate.at = now;
}

void Rates::refresh(TimePoint now) {
  for (auto& [scope, rate] : rates_) {
    rate.left = rate.left_at(now);
    rate.at = now;
  }
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
  for (const auto& scope : scopes_of(task_class)) {
    const auto found = rates_.find(scope);
    if (found == rates_.end()) continue;
    auto& rate = found->second;
    rate.left = rate.left_at(now) - static_cast<double>(count);
    rate.at = now;
  }
}

std::optional<TimePoint> Rates::next_deadline() const {
  std::optional<TimePoint> next;
  for (const auto& [scope, rate] : rates_) {
    const auto wanted = std::clamp(rate.per_second * kTurnSeconds, 1.0, rate.most());
    if (rate.left >= wanted) continue;
    const auto seconds = std::min(1e9, (wanted - rate.left) / rate.per_second);
    // One more, or what was rounded down would be asked for at once again.
    const auto when = rate.at + Duration(static_cast<std::int64_t>(std::ceil(seconds * 1e9)) + 1);
    next = next ? std::min(*next, when) : when;
  }
  return next;
}

std::optional<Why> Rates::why(const protocol::TaskClass& task_class) const {
  if (rates_.empty()) return std::nullopt;
  for (const auto& scope : scopes_of(task_class))
    if (const auto found = rates_.find(scope); found != rates_.end() && found->second.left < 1)
      return Why{"rate", text("of ", to_text(scope), " begin ", shown(found->second.per_second),
                              " tasks a second at most")};
  return std::nullopt;
}

}  // namespace eole::ventilator
