#pragma once
#include <chrono>
#include <cstdint>

namespace eole {

/// The monotonic clock of one process, as the cores see it: an argument, never read by them.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};
using Duration = Clock::duration;
using TimePoint = Clock::time_point;

using namespace std::chrono_literals;

}  // namespace eole
