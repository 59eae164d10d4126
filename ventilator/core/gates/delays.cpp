#include "ventilator/core/gates/delays.hpp"

#include <algorithm>

#include "common/base/durations.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

bool Delays::enter(const Arrival& arrival, const Moment& moment, const Ends&, Released&) {
  const auto& conditions = arrival.conditions;
  const auto delay = static_cast<std::int64_t>(conditions.delay_ms);
  const auto left = std::min(arrival.accepted_unix_ms + delay - moment.unix_ms, delay);
  const auto date = static_cast<std::int64_t>(conditions.not_before_unix_ms);
  if (planted("delay-not-waited-for")) return false;
  if (left > 0) delays_.put(arrival.seq, moment.now + std::chrono::milliseconds(left));
  if (date > moment.unix_ms) dates_.put(arrival.seq, date);
  return left > 0 || date > moment.unix_ms;
}

void Delays::on_ended(Seq first, Seq last, const Ends&, Released&) {
  delays_.erase(first, last);
  dates_.erase(first, last);
}

void Delays::on_deadline(const Moment& moment, Released& out) {
  while (const auto seq = delays_.take_due(moment.now))
    if (dates_.find(*seq) == nullptr) out.seqs.push_back(*seq);
  while (const auto seq = dates_.take_due(moment.unix_ms))
    if (delays_.find(*seq) == nullptr) out.seqs.push_back(*seq);
}

std::optional<TimePoint> Delays::next_deadline(const Moment& moment) const {
  const auto delay = delays_.next();
  const auto unix_ms = dates_.next();
  if (!unix_ms) return delay;
  const auto date = moment.now + std::chrono::milliseconds(*unix_ms - moment.unix_ms);
  return delay ? std::min(*delay, date) : date;
}

// Of two times the later one.
std::optional<Why> Delays::why(Seq seq, const Moment& moment) const {
  const auto* delay = delays_.find(seq);
  const auto* date = dates_.find(seq);
  if (delay == nullptr && date == nullptr) return std::nullopt;
  const auto delayed_until = delay == nullptr ? 0 : moment.unix_ms_at(*delay);
  const auto until = std::max(delayed_until, date == nullptr ? 0 : *date);
  return Why{delayed_until < until ? "date" : "delay", text("it waits until ", show_time(until)),
             until};
}

}  // namespace eole::ventilator
