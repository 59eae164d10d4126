#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace eole {

/// How many of so many things took how long, in buckets: what a monitoring system adds up. A thing
/// costs a few instructions.
class Histogram {
 public:
  /// The longest of each bucket; the last one has none.
  static constexpr std::array<std::int64_t, 16> kBoundsMs{
      5,    10,   25,    50,    100,   250,     500,       1000,
      2500, 5000, 10000, 30000, 60000, 300'000, 1'800'000, 3'600'000};
  using Counts = std::array<std::uint64_t, kBoundsMs.size() + 1>;

  void add(std::int64_t milliseconds, std::uint64_t count = 1) {
    const auto took = std::max<std::int64_t>(milliseconds, 0);  // Clocks may be set.
    const auto bucket = std::find_if(kBoundsMs.begin(), kBoundsMs.end(),
                                     [&](std::int64_t bound) { return took <= bound; });
    counts_[static_cast<std::size_t>(bucket - kBoundsMs.begin())] += count;
    sum_ms_ += static_cast<std::uint64_t>(took) * count;
  }
  const Counts& counts() const { return counts_; }
  std::uint64_t sum_ms() const { return sum_ms_; }

 private:
  Counts counts_{};
  std::uint64_t sum_ms_ = 0;
};

constexpr std::size_t kKindsCountedMax = 128;  // Those that come later are counted together.

/// What is counted of tasks by their kind. Whoever submits chooses the kinds, so they have a bound.
template <class Counted>
class ByKind {
 public:
  ByKind() = default;
  ByKind(const ByKind& other) : all_(other.all_) {}  // What was used last is its own.
  ByKind& operator=(const ByKind& other) {
    all_ = other.all_;
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
