#include "worker/core/credit.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/planted.hpp"

namespace eole::worker {

Credit::Credit(const Config& config)
    : slots_(config.slots),
      fixed_per_slot_(config.prefetch),
      prefetched_time_(config.prefetched_time),
      prefetch_max_(config.prefetch_max),
      results_max_(config.results_max),
      result_bytes_max_(config.result_bytes_max) {}

// A long task counts at once, a short one slowly: hoarding hurts more than a late pipe.
void Credit::learn(Duration took, std::size_t tasks) {
  const auto all = std::chrono::duration<double>(took).count();
  const auto seconds = std::max(1e-6, all / static_cast<double>(tasks));
  run_seconds_ =
      run_seconds_ == 0 ? seconds : std::max(seconds, run_seconds_ * 0.8 + seconds * 0.2);
}

std::uint64_t Credit::prefetch() const {
  if (fixed_per_slot_ > 0) return fixed_per_slot_ * slots_;
  if (run_seconds_ == 0) return slots_;
  const auto ahead = std::chrono::duration<double>(prefetched_time_).count() / run_seconds_;
  const auto per_slot = 1 + std::floor(ahead);
  return std::min(prefetch_max_,
                  static_cast<std::uint64_t>(per_slot * static_cast<double>(slots_)));
}

void Credit::raise(const Load& load) {
  const auto room_for = [](std::uint64_t most, std::uint64_t now) {
    return most > now ? most - now : 0;
  };
  if (load.result_bytes > result_bytes_max_) return;
  const auto unfinished = planted("credit-forgets-the-unfinished") ? 0 : load.unfinished;
  const auto room =
      std::min(room_for(prefetch(), unfinished), room_for(results_max_, load.results));
  limit_ = std::max(limit_, load.received + room);
}

bool Credit::is_urgent() const {
  return limit_ > sent_ && limit_ - sent_ >= std::min(prefetch(), results_max_) / 2;
}

}  // namespace eole::worker
