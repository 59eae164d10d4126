#include "ventilator/core/gates/delays.hpp"

#include <algorithm>

#include "common/base/durations.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

bool Delays::enter(const Arrival& arrival, const Moment& moment, const Ends&, Released&) {
  const auto& conditions = arrival.conditions;
  Due due;
  const auto delay = static_cast<std::int64_t>(conditions.delay_ms);
  const auto left = std::min(arrival.accepted_unix_ms + delay - moment.unix_ms, delay);
  if (left > 0) due.delay = moment.now + std::chrono::milliseconds(left);
  const auto date = static_cast<std::int64_t>(conditions.not_before_unix_ms);
  if (date > moment.unix_ms) due.unix_ms = date;
  if (planted("delay-not-waited-for")) return false;
  if (due.delay == TimePoint{} && due.unix_ms == 0) return false;
  if (due.delay != TimePoint{}) delays_.emplace(due.delay, arrival.seq);
  if (due.unix_ms != 0) dates_.emplace(due.unix_ms, arrival.seq);
  due_[arrival.seq] = due;
  return true;
}

void Delays::on_ended(Seq first, Seq last, const Ends&, Released&) {
  auto seq = first;
  for (const auto* due = due_.next(seq); due != nullptr && seq <= last; due = due_.next(++seq)) {
    delays_.erase({due->delay, seq});
    dates_.erase({due->unix_ms, seq});
    due_.erase(seq);
  }
}

void Delays::on_deadline(const Moment& moment, Released& out) {
  const auto pass = [&](Seq seq) {
    const auto& due = *due_.find(seq);
    if (due.delay != TimePoint{} || due.unix_ms != 0) return;
    due_.erase(seq);
    out.seqs.push_back(seq);
  };
  while (!delays_.empty() && delays_.begin()->first <= moment.now) {
    const auto seq = delays_.begin()->second;
    delays_.erase(delays_.begin());
    due_.find(seq)->delay = {};
    pass(seq);
  }
  while (!dates_.empty() && dates_.begin()->first <= moment.unix_ms) {
    const auto seq = dates_.begin()->second;
    dates_.erase(dates_.begin());
    due_.find(seq)->unix_ms = 0;
    pass(seq);
  }
}

std::optional<TimePoint> Delays::next_deadline(const Moment& moment) const {
  std::optional<TimePoint> next;
  if (!delays_.empty()) next = delays_.begin()->first;
  if (dates_.empty()) return next;
  const auto date =
      moment.now + std::chrono::milliseconds(dates_.begin()->first - moment.unix_ms);
  return next ? std::min(*next, date) : date;
}

// Of two times the later one.
std::optional<Why> Delays::why(Seq seq, const Moment& moment) const {
  const auto* due = due_.find(seq);
  if (due == nullptr) return std::nullopt;
  const auto delay = due->delay == TimePoint{} ? 0 : moment.unix_ms_at(due->delay);
  const auto until = std::max(delay, due->unix_ms);
  return Why{delay < until ? "date" : "delay", text("it waits until ", show_time(until)), until};
}

}  // namespace eole::ventilator
