#include "sink/core/letters.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::sink {

void Letters::add(Origin origin, const SeqRanges& seqs) {
  for (const auto& [first, last] : seqs.ranges()) add(origin, first, last);
}

void Letters::add(const Letters& others) {
  for (const auto& [origin, seqs] : others.letters_) add(origin, seqs);
}

void Letters::discard(const Letters& others) {
  for (const auto& [origin, seqs] : others.letters_) discard(origin, seqs);
}

void Letters::discard(Origin origin, const SeqRanges& seqs) {
  const auto letters = letters_.find(origin);
  if (letters == letters_.end()) return;
  for (const auto& [first, last] : seqs.ranges()) letters->second.remove(first, last);
}

std::uint64_t Letters::count() const {
  std::uint64_t sum = 0;
  for (const auto& [origin, seqs] : letters_) sum += seqs.count();
  return sum;
}

bool Letters::has(const TaskId& id) const {
  const auto letters = letters_.find(id.origin);
  return letters != letters_.end() && letters->second.contains(id.seq);
}

SeqRanges Letters::of(Origin origin, const SeqRanges& seqs) const {
  SeqRanges found;
  const auto letters = letters_.find(origin);
  if (letters == letters_.end()) return found;
  const auto& ranges = letters->second.ranges();
  for (const auto& [first, last] : seqs.ranges()) {
    auto range = ranges.upper_bound(first);
    if (range != ranges.begin()) --range;
    for (; range != ranges.end() && range->first <= last; ++range) {
      const auto low = std::max(first, range->first);
      const auto high = std::min(last, range->second);
      if (low <= high) found.add(low, high);
    }
  }
  return found;
}

void Letters::save(SavePlace& place, Bytes& out) const {
  if (planted("checkpoint-forgets-letters")) return;
  save_ranges(
      letters_, [](const SeqRanges& letters) -> auto& { return letters; }, place, out);
}

bool Letters::load(std::string_view payload) {
  return load_ranges(payload, [&](Origin origin, const SeqRanges& ranges) { add(origin, ranges); });
}

}  // namespace eole::sink
