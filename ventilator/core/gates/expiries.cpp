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
  dates_.emplace(date, arrival.seq);
  expires_[arrival.seq] = date;
  return false;
}

void Expiries::on_ended(Seq first, Seq last, const Ends&, Released&) {
  auto seq = first;
  for (const auto* date = expires_.next(seq); date != nullptr && seq <= last;
       date = expires_.next(++seq)) {
    dates_.erase({*date, seq});
    expires_.erase(seq);
  }
}

void Expiries::on_deadline(const Moment& moment, Released& out) {
  while (!dates_.empty() && dates_.begin()->first <= moment.unix_ms) {
    const auto seq = dates_.begin()->second;
    dates_.erase(dates_.begin());
    expires_.erase(seq);
    out.ended.push_back(
        {seq, protocol::TaskState::kCancelled, {"expired", "expired before it began"}});
  }
}

std::optional<TimePoint> Expiries::next_deadline(const Moment& moment) const {
  if (dates_.empty()) return std::nullopt;
  return moment.now + std::chrono::milliseconds(dates_.begin()->first - moment.unix_ms);
}

}  // namespace eole::ventilator
