#include "worker/handlers/rate.hpp"

#include <algorithm>

namespace eole::worker {

namespace {
constexpr Duration kMoment = 100ms;  // Of silence that is made up for.
}  // namespace

void Rate::add(std::uint64_t bytes, TimePoint now) {
  if (bytes_per_second_ == 0) return;
  const std::chrono::duration<double> time(static_cast<double>(bytes) /
                                           static_cast<double>(bytes_per_second_));
  due_ = std::max(due_, now - kMoment) + std::chrono::duration_cast<Duration>(time);
}

}  // namespace eole::worker
