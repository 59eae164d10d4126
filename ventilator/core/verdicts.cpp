#include "ventilator/core/verdicts.hpp"

#include "common/base/planted.hpp"

namespace eole::ventilator {

void Verdicts::add(Seq seq) {
  if (!pushed_.contains(seq)) waiting_.insert(seq);
}

void Verdicts::settle(Seq seq) {
  if (pushed_.erase(seq) == 0 && !waiting_.empty()) waiting_.erase(seq);
}

std::vector<Seq> Verdicts::take_due(TimePoint now) {
  if (waiting_.empty() && pushed_.empty()) return {};
  if (pushed_.empty()) next_push_ = now;
  const bool is_again = now >= next_push_ && !planted("verdict-pushed-once");
  std::vector<Seq> due;
  if (is_again) {
    next_push_ = now + retry_;
    due.assign(pushed_.begin(), pushed_.end());
  }
  const auto has_room = [&] {
    return pushed_.size() < kVerdictsPushedMax || planted("verdicts-without-a-bound");
  };
  while (!waiting_.empty() && has_room()) {
    due.push_back(*waiting_.begin());
    pushed_.insert(pushed_.end(), waiting_.extract(waiting_.begin()));
  }
  return due;
}

std::optional<TimePoint> Verdicts::next_deadline() const {
  if (pushed_.empty()) return std::nullopt;
  return next_push_;
}

}  // namespace eole::ventilator
