#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "ventilator/core/why.hpp"

namespace eole::ventilator {

constexpr double kRateLeast = 1e-6;  // Tasks a second: one in eleven days.
constexpr double kRateMost = 1'000'000'000;

/// So many a second: what is not used adds up for so long, and to one.
struct Rate {
  Duration burst = 100ms;
  double per_second = 0;
  double left = 0;  // As of `at`.
  TimePoint at{};

  double most() const;
  double left_at(TimePoint now) const;
  /// So many from now on; what is new begins with one.
  void set(double more, TimePoint now);
  void refresh(TimePoint now);
  void take(std::uint64_t count, TimePoint now);
  /// When so many are left, if none is taken until then.
  TimePoint when(double wanted) const;
  /// How many a second, as a person writes it.
  std::string shown() const;
  /// Of whom so many begin: "kind:download", say.
  Why why(std::string_view whom) const;
};

}  // namespace eole::ventilator
