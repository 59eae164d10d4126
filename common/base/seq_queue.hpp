#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

namespace eole {

/// A map whose keys are numbers that come ascending and are over from the front, nearly always:
/// a deque of pairs, without an allocation or a walk through a tree for each. A key that comes
/// late goes to its place at the cost of moving those behind it.
template <class T>
class SeqQueue {
 public:
  using Entry = std::pair<std::uint64_t, T>;

  /// Null if there is none. Pointers hold until something is added or erased.
  const T* find(std::uint64_t key) const {
    const auto at = lower_bound(key);
    return at != entries_.end() && at->first == key ? &at->second : nullptr;
  }
  T* find(std::uint64_t key) { return const_cast<T*>(std::as_const(*this).find(key)); }
  /// The last entry at or before `key`; null if there is none.
  const Entry* at_or_before(std::uint64_t key) const {
    const auto after = key == UINT64_MAX ? entries_.end() : lower_bound(key + 1);
    return after == entries_.begin() ? nullptr : &*std::prev(after);
  }
  /// Adds it, or replaces what the key has.
  T& put(std::uint64_t key, T value) {
    if (entries_.empty() || entries_.back().first < key)
      return entries_.emplace_back(key, std::move(value)).second;
    const auto at = entries_.begin() + (lower_bound(key) - entries_.cbegin());
    if (at->first != key) return entries_.emplace(at, key, std::move(value))->second;
    return at->second = std::move(value);
  }
  const Entry& front() const { return entries_.front(); }
  const Entry& back() const { return entries_.back(); }
  void pop_front() {
    entries_.pop_front();
    if (near_ > 0) --near_;
  }
  void pop_back() { entries_.pop_back(); }
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  bool operator==(const SeqQueue& other) const { return entries_ == other.entries_; }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  /// The first entry at or behind `key`.
  auto from(std::uint64_t key) const { return lower_bound(key); }
  /// Whoever changes an entry leaves its key as it is.
  auto begin() { return entries_.begin(); }
  auto end() { return entries_.end(); }
  /// The last entry at or before `key`, or else the first one behind it.
  auto from_before(std::uint64_t key) {
    auto at = entries_.begin() + (lower_bound(key) - entries_.cbegin());
    if (at != entries_.begin() && (at == entries_.end() || at->first > key)) --at;
    return at;
  }

 private:
  // Mostly it is the place that was asked for last, or the next one.
  auto lower_bound(std::uint64_t key) const {
    const auto begin = entries_.begin();
    if (entries_.empty() || key <= entries_.front().first) return begin;
    for (auto at = std::max<std::size_t>(near_, 1); at < entries_.size() && at <= near_ + 1; ++at)
      if (entries_[at - 1].first < key && key <= entries_[at].first)
        return begin + static_cast<std::ptrdiff_t>(near_ = at);
    const auto found = std::lower_bound(
        begin, entries_.end(), key,
        [](const Entry& entry, std::uint64_t wanted) { return entry.first < wanted; });
    near_ = static_cast<std::size_t>(found - begin);
    return found;
  }
  std::deque<Entry> entries_;
  mutable std::size_t near_ = 0;
};

}  // namespace eole
