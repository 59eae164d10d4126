#include "sink/core/letters.hpp"

#include <algorithm>

namespace eole::sink {

void Letters::discard(Origin origin, const SeqRanges& seqs) {
  const auto letters = letters_.find(origin);
  if (letters == letters_.end()) return;
  for (const auto& [first, last] : seqs.ranges()) letters->second.remove(first, last);
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

}  // namespace eole::sink
