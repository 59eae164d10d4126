#include "ventilator/core/gates/keys.hpp"

#include <string_view>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

bool Keys::enter(const Arrival& arrival, const Moment& moment, const Ends&, Released&) {
  if (arrival.conditions.key.empty() || planted("key-order-forgotten")) return false;
  const auto key = hash_of(arrival.conditions.key);
  keyed_[arrival.seq].key = key;
  const auto [at, is_first] = lines_.try_emplace(key, Line{arrival.seq, arrival.seq});
  if (is_first) {
    rates_.on_turn(key, arrival.seq);
    return rates_.hold(arrival.seq, moment.now);
  }
  keyed_.find(at->second.last)->next = arrival.seq;
  at->second.last = arrival.seq;
  return true;
}

void Keys::on_ended(Seq first, Seq last, const Ends&, Released& out) {
  for (auto seq = first; keyed_.next(seq, last) != nullptr; ++seq) end(seq, out);
}

void Keys::end(Seq seq, Released& out) {
  auto* keyed = keyed_.find(seq);
  const auto line = lines_.find(keyed->key);
  if (line->second.first != seq) {
    keyed->is_over = true;
    return;
  }
  rates_.on_over(seq);
  auto next = keyed->next;
  keyed_.erase(seq);
  while (next != 0 && keyed_.find(next)->is_over) {
    const auto after = keyed_.find(next)->next;
    keyed_.erase(next);
    next = after;
  }
  if (next == 0) {
    lines_.erase(line);
    return;
  }
  line->second.first = next;
  rates_.on_turn(line->first, next);
  if (!rates_.hold(next, now_)) out.seqs.push_back(next);
}

void Keys::on_deadline(const Moment& moment, Released& out) {
  now_ = moment.now;
  while (const auto seq = rates_.take_due(moment.now)) out.seqs.push_back(*seq);
}

void Keys::set_rate(const std::string& key, double per_second, TimePoint now) {
  const auto hash = hash_of(key);
  const auto line = lines_.find(hash);
  rates_.set(key, hash, per_second, line == lines_.end() ? 0 : line->second.first, now);
}

void Keys::waiters_of(Seq seq, std::string_view, std::size_t most,
 std::vector<Seq>& out) const {
  const auto* keyed = keyed_.find(seq);
  if (keyed != nullptr && keyed->next != 0 && out.size() < most)
    out.push_back(keyed->next);
}

Seq Keys::last_of(std::string_view key) const {
  const auto line = lines_.find(hash_of(key));
  return line == lines_.end() ? 0 : line->second.last;
}

std::optional<Why> Keys::why(Seq seq, const Moment& moment) const {
  const auto* keyed = keyed_.find(seq);
  if (keyed == nullptr) return std::nullopt;
  const auto first = lines_.at(keyed->key).first;
  if (first == seq) return rates_.why(seq, moment);
  return Why{"key",
             text("it waits for the tasks of its key before it, of which it is the turn of ",
                  to_text(TaskId{origin_, first})),
             0,
             {first}};
}

}  // namespace eole::ventilator
