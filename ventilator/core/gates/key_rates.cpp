#include "ventilator/core/gates/key_rates.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

void KeyRates::set(const std::string& name, std::uint64_t key, double per_second, Seq turn,
                   TimePoint now) {
  const bool is_held = turn != 0 && held_.find(turn) != nullptr;
  if (per_second <= 0) {
    if (is_held) held_.put(turn, now);
    turns_.erase(turn);
    limited_.erase(key);
    return;
  }
  auto& limited = limited_[key];
  limited.name = name;
  limited.rate.set(per_second, now);
  if (turn != 0) turns_[turn] = &limited;
  if (is_held) held_.put(turn, std::max(now, limited.rate.when(1)));
}

void KeyRates::on_turn(std::uint64_t key, Seq seq) {
  if (limited_.empty()) return;
  if (const auto limited = limited_.find(key); limited != limited_.end())
    turns_[seq] = &limited->second;
}

void KeyRates::on_over(Seq seq) {
  if (turns_.empty()) return;
  turns_.erase(seq);
  held_.erase(seq, seq);
}

bool KeyRates::hold(Seq seq, TimePoint now) {
  const auto turn = turns_.find(seq);
  if (turn == turns_.end() || planted("key-rate-passed")) return false;
  const auto& rate = turn->second->rate;
  if (rate.left_at(now) >= 1) return false;
  held_.put(seq, std::max(now + Duration(1), rate.when(1)));
  return true;
}

void KeyRates::on_leased(Seq first, std::uint64_t count, TimePoint now) {
  for (auto turn = turns_.lower_bound(first); turn != turns_.end() && turn->first - first < count;
       ++turn)
    turn->second->rate.take(1, now);
}

std::optional<Why> KeyRates::why(Seq seq, const Moment& moment) const {
  const auto* due = held_.find(seq);
  const auto turn = turns_.find(seq);
  if (due == nullptr || turn == turns_.end()) return std::nullopt;
  auto why = turn->second->rate.why(text("key:", turn->second->name));
  why.until_unix_ms = moment.unix_ms_at(*due);
  return why;
}

}  // namespace eole::ventilator
