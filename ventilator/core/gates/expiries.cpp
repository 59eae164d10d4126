#include "ventilator/core/gates/expiries.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

bool Expiries::enter(const Arrival& arrival, const Moment&, const Ends&, Released&) {
  const auto& conditions = arrival.conditions;
  const auto span = static_cast<std::int64_t>(conditions.expires_in_ms);
  auto date = static_cast<std::int64_t>(conditions.expires_unix_ms);
  if (span != 0) {
    const auto end = arrival.accepted_unix_ms + span;
    date = date == 0 ? end : std::min(date, end);
  }
  if (date == 0 || planted("expiry-forgotten")) return false;
  dates_.put(arrival.seq, date);
  return false;
}

void Expiries::on_ended(Seq first, Seq last, const Ends&, Released&) {
  dates_.erase(first, last);
  passed_.remove(first, last);
}

void Expiries::on_deadline(const Moment& moment, Released& out) {
  while (const auto seq = dates_.take_due(moment.unix_ms)) {
    passed_.add(*seq, *seq);
    out.ended.push_back(end_of(*seq));
  }
}

Released::Ended Expiries::end_of(Seq seq) {
  return {seq, protocol::TaskState::kCancelled, {"expired", "expired before it began"}};
}

std::optional<Released::Ended> Expiries::expired(Seq seq, const Moment& moment) const {
  const auto* date = dates_.find(seq);
  const bool is_due = passed_.contains(seq) || (date != nullptr && *date <= moment.unix_ms);
  if (!is_due || planted("expiry-forgotten-on-return")) return std::nullopt;
  return end_of(seq);
}

std::optional<TimePoint> Expiries::next_deadline(const Moment& moment) const {
  const auto date = dates_.next();
  if (!date) return std::nullopt;
  return moment.now + std::chrono::milliseconds(*date - moment.unix_ms);
}

}  // namespace eole::ventilator
