#include "ventilator/core/timers.hpp"

namespace eole::ventilator {

std::vector<Seq> Timers::take_due(TimePoint now) {
  std::vector<Seq> due;
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    due.push_back(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
  }
  return due;
}

std::optional<TimePoint> Timers::next_deadline() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

}  // namespace eole::ventilator
