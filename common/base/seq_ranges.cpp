#include "common/base/seq_ranges.hpp"

#include <algorithm>

#include "common/base/bytes.hpp"

namespace eole {

std::uint64_t SeqRanges::add(Seq first, Seq last) {
  const auto before = count_;
  auto next = ranges_.upper_bound(first);
  if (next != ranges_.begin()) {
    auto previous = std::prev(next);
    if (previous->second >= last) return 0;
    // Most often a range just grows at its end: no node is made or freed then.
    if (previous->second + 1 == first && (next == ranges_.end() || next->first > last + 1)) {
      previous->second = last;
      count_ += last - first + 1;
      return last - first + 1;
    }
    if (previous->second + 1 >= first) {  // grows the range on the left
      count_ -= previous->second - previous->first + 1;
      first = previous->first;
      next = ranges_.erase(previous);
    }
  }
  while (next != ranges_.end() && next->first <= last + 1) {  // swallows ranges on the right
    count_ -= next->second - next->first + 1;
    last = std::max(last, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace_hint(next, first, last);
  count_ += last - first + 1;
  return count_ - before;
}

void SeqRanges::remove(Seq first, Seq last) {
  auto range = ranges_.upper_bound(first);
  if (range != ranges_.begin()) --range;
  while (range != ranges_.end() && range->first <= last) {
    const auto [begin, end] = *range;
    if (end < first) {
      ++range;
      continue;
    }
    range = ranges_.erase(range);
    count_ -= end - begin + 1;
    if (begin < first) {
      ranges_.emplace_hint(range, begin, first - 1);
      count_ += first - begin;
    }
    if (end <= last) continue;
    range = ranges_.emplace_hint(range, last + 1, end);
    count_ += end - last;
    return;
  }
}

// Mostly asked of what is newer than all.
bool SeqRanges::contains(Seq seq) const {
  if (seq > highest()) return false;
  const auto next = ranges_.upper_bound(seq);
  return next != ranges_.begin() && std::prev(next)->second >= seq;
}

Seq SeqRanges::first_missing(Seq from) const {
  const auto next = ranges_.upper_bound(from);
  if (next == ranges_.begin()) return from;
  return std::max(from, std::prev(next)->second + 1);
}

std::uint64_t SeqRanges::count_within(Seq first, Seq last) const {
  std::uint64_t found = 0;
  auto range = ranges_.upper_bound(first);
  if (range != ranges_.begin()) --range;
  for (; range != ranges_.end() && range->first <= last; ++range) {
    const auto low = std::max(first, range->first);
    const auto high = std::min(last, range->second);
    if (low <= high) found += high - low + 1;
  }
  return found;
}

std::string SeqRanges::encode() const {
  Bytes out;
  for (const auto& [first, last] : ranges_) {
    put<std::uint64_t>(out, first);
    put<std::uint64_t>(out, last);
  }
  return out;
}

bool SeqRanges::decode(std::string_view encoded) {
  ByteReader reader(encoded);
  while (!reader.is_done()) {
    const auto first = reader.get<std::uint64_t>();
    const auto last = reader.get<std::uint64_t>();
    if (!reader.ok() || first == 0 || first > last || last == UINT64_MAX) return false;
    add(first, last);
  }
  return reader.ok();
}

}  // namespace eole
