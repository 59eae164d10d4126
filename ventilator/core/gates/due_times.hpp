#pragma once
#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/seq_table.hpp"

namespace eole::ventilator {

/// A time for each of many tasks, the earliest first. A task costs 16 bytes in a heap and some ten
/// in a table. What ended earlier stays in the heap, but never at its top, and never more than
/// there are tasks that wait.
template <class Time>
class DueTimes {
 public:
  /// In place of the one that it had.
  void put(Seq seq, Time due) {
    erase(seq, seq);
    times_[seq] = due;
    heap_.emplace_back(due, seq);
    std::push_heap(heap_.begin(), heap_.end(), std::greater{});
  }
  /// Null if it has none.
  const Time* find(Seq seq) const { return times_.find(seq); }
  /// From first to last.
  void erase(Seq first, Seq last) {
    if (times_.next(first, last) == nullptr) return;
    for (; times_.next(first, last) != nullptr; ++first) times_.erase(first);
    if (heap_.size() / 2 > times_.size()) {
      std::erase_if(heap_, [&](const Entry& entry) { return is_over(entry); });
      std::make_heap(heap_.begin(), heap_.end(), std::greater{});
    }
    drop_over();
  }
  /// The earliest.
  std::optional<Time> next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.front().first);
  }
  /// A task whose time has come, in the order of the times, then of the numbers.
  std::optional<Seq> take_due(Time now) {
    if (heap_.empty() || heap_.front().first > now) return std::nullopt;
    const auto seq = heap_.front().second;
    times_.erase(seq);
    drop_over();
    return seq;
  }
  std::size_t heap_size() const { return heap_.size(); }

 private:
  using Entry = std::pair<Time, Seq>;
  bool is_over(const Entry& entry) const {
    const auto* due = times_.find(entry.second);
    return due == nullptr || *due != entry.first;
  }
  void drop_over() {
    while (!heap_.empty() && is_over(heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater{});
      heap_.pop_back();
    }
  }

  SeqTable<Time> times_;
  std::vector<Entry> heap_;
};

}  // namespace eole::ventilator
