#include "ventilator/core/limits/limits.hpp"

#include <algorithm>

namespace eole::ventilator {

Limits::Limits(const Wishes& wishes) {
  wishes.each("pause", [this](const std::string& about, std::string_view) {
    if (const auto scope = parse_scope(about)) pauses_.set(*scope, true);
  });
}

std::uint64_t Limits::room(const protocol::TaskClass& task_class, TimePoint now) const {
  auto room = kNoLimit;
  for (const auto* limit : all()) room = std::min(room, limit->room(task_class, now));
  return room;
}

void Limits::on_leased(const protocol::TaskClass& task_class, std::uint64_t count, TimePoint now) {
  pauses_.on_leased(task_class, count, now);
}

std::optional<TimePoint> Limits::next_deadline() const {
  std::optional<TimePoint> next;
  for (const auto* limit : all())
    if (const auto when = limit->next_deadline()) next = next ? std::min(*next, *when) : *when;
  return next;
}

std::optional<Why> Limits::why(const protocol::TaskClass& task_class) const {
  for (const auto* limit : all())
    if (auto why = limit->why(task_class)) return why;
  return std::nullopt;
}

}  // namespace eole::ventilator
