#include "common/protocol/not_done.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::protocol {

void NotDone::add(const Settlement::Range& range, TaskState state) {
  if (state == TaskState::kDone) return;
  ranges_[index_of(state)].add(range.first, range.last);
  while (range_count() > kNotDoneRangesMax && !planted("outcomes-without-limit")) forget_lowest();
}

TaskState NotDone::state_of(Seq seq) const {
  for (const auto state : kNotDoneStates)
    if (of(state).contains(seq)) return state;
  return TaskState::kDone;
}

Seq NotDone::first_within(Seq first, Seq last) const {
  Seq lowest = last + 1;
  for (const auto& ranges : ranges_) {
    if (ranges.contains(first)) return first;
    const auto next = ranges.ranges().upper_bound(first);
    if (next != ranges.ranges().end()) lowest = std::min(lowest, next->first);
  }
  return lowest <= last ? lowest : 0;
}

std::uint64_t NotDone::count() const {
  std::uint64_t sum = 0;
  for (const auto& ranges : ranges_) sum += ranges.count();
  return sum;
}

std::size_t NotDone::range_count() const {
  std::size_t sum = 0;
  for (const auto& ranges : ranges_) sum += ranges.ranges().size();
  return sum;
}

void NotDone::forget_lowest() {
  const auto lowest_of = [](const SeqRanges& ranges) {
    return ranges.ranges().empty() ? UINT64_MAX : ranges.ranges().begin()->first;
  };
  auto& ranges = *std::ranges::min_element(ranges_, {}, lowest_of);
  const auto [first, last] = *ranges.ranges().begin();
  ranges.remove(first, last);
}

}  // namespace eole::protocol
