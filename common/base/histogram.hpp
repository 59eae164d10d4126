#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

namespace eole {

/// The longest of each bucket in microseconds; the last one has none.
inline constexpr std::array<std::int64_t, 16> kTaskTimesUs{
    5'000,     10'000,    25'000,     50'000,     100'000,     250'000,     500'000,       1'000'000,
    2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000,  300'000'000, 1'800'000'000, 3'600'000'000};
inline constexpr std::array<std::int64_t, 13> kSyncTimesUs{
    100,    250,    500,    1'000,   2'500,   5'000,     10'000,
    25'000, 50'000, 100'000, 250'000, 1'000'000, 10'000'000};

/// How many of so many things took how long, in buckets: what a monitoring system adds up. A thing
/// costs a few instructions.
template <const auto& kBounds>
class HistogramOf {
 public:
  static constexpr const auto& kBoundsUs = kBounds;
  using Counts = std::array<std::uint64_t, kBounds.size() + 1>;

  void add(std::chrono::microseconds time, std::uint64_t count = 1) {
    const auto took = std::max<std::int64_t>(time.count(), 0);  // Clocks may be set.
    const auto bucket = std::find_if(kBounds.begin(), kBounds.end(),
                                     [&](std::int64_t bound) { return took <= bound; });
    counts_[static_cast<std::size_t>(bucket - kBounds.begin())] += count;
    sum_us_ += static_cast<std::uint64_t>(took) * count;
  }
  const Counts& counts() const { return counts_; }
  std::uint64_t sum_us() const { return sum_us_; }

  /// What so large a part of them (0.99) took at most: the bound of its bucket; zero of none, and
  /// the largest bound of what is beyond all.
  std::int64_t at_most_us(double part) const {
    const auto all = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
    if (all == 0) return 0;
    const auto wanted = static_cast<double>(all) * part;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i)
      if (sum += counts_[i]; static_cast<double>(sum) >= wanted) return kBounds[i];
    return kBounds.back();
  }

 private:
  Counts counts_{};
  std::uint64_t sum_us_ = 0;
};
using Histogram = HistogramOf<kTaskTimesUs>;
using SyncTimes = HistogramOf<kSyncTimesUs>;

constexpr std::size_t kKindsCountedMax = 128;  // Those that come later are counted together.

/// What is counted of tasks by their kind. Whoever submits chooses the kinds, so they have a bound.
template <class Counted>
class ByKind {
 public:
  ByKind() = default;
  ByKind(const ByKind& other) : all_(other.all_) {}  // What was used last is its own.
  ByKind& operator=(ByKind other) {
    all_.swap(other.all_);
    last_ = nullptr;
    return *this;
  }
  /// Stays where it is.
  Counted& of(std::string_view kind) {
    if (last_ != nullptr && last_->first == kind) return last_->second;  // Mostly.
    auto found = all_.find(kind);
    if (found == all_.end())
      found =
          all_.try_emplace(std::string(all_.size() < kKindsCountedMax ? kind : "(others)")).first;
    last_ = &*found;
    return found->second;
  }
  const auto& all() const { return all_; }

 private:
  std::map<std::string, Counted, std::less<>> all_;
  std::pair<const std::string, Counted>* last_ = nullptr;
};

}  // namespace eole
