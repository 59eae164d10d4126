#include "worker/core/credit.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/planted.hpp"

namespace eole::worker {

namespace {

// What others wait for would be had sooner elsewhere, or is another's turn; and it goes back in a
// message or two. Shorter, and one late task would do it.
constexpr double kHoardedSeconds = 1;

// What is much counts at once, what is little slowly: hoarding hurts more than a late pipe.
double average(double before, double now) { return std::max(now, before * 0.8 + now * 0.2); }

std::uint64_t room_for(std::uint64_t most, std::uint64_t now) {
  return most > now ? most - now : 0;
}

}  // namespace

Credit::Credit(const Config& config)
    : slots_(config.slots),
      fixed_per_slot_(config.prefetch),
      prefetched_time_(config.prefetched_time),
      prefetch_max_(config.prefetch_max),
      results_max_(config.results_max),
      result_bytes_max_(config.result_bytes_max),
      held_bytes_max_(config.held_bytes_max) {}

void Credit::learn(Duration took, std::size_t tasks) {
  const auto all = std::chrono::duration<double>(took).count();
  run_seconds_ = average(run_seconds_, std::max(1e-6, all / static_cast<double>(tasks)));
}

void Credit::learn_size(std::uint64_t bytes, std::size_t tasks) {
  task_bytes_ = average(task_bytes_, static_cast<double>(bytes) / static_cast<double>(tasks));
}

// One task always fits where there is none.
std::uint64_t Credit::fit_beside(std::uint64_t held_bytes) const {
  if (planted("credit-forgets-sizes")) return UINT64_MAX;
  const auto bytes = static_cast<double>(room_for(held_bytes_max_, held_bytes));
  return std::max<std::uint64_t>(held_bytes == 0, static_cast<std::uint64_t>(bytes / task_bytes_));
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
  if (load.result_bytes > result_bytes_max_) return;
  const auto unfinished = planted("credit-forgets-the-unfinished") ? 0 : load.unfinished;
  const auto room = std::min({room_for(prefetch(), unfinished),
                              room_for(results_max_, load.results), fit_beside(load.held_bytes)});
  limit_ = std::max(limit_, load.received + room);
}

std::uint64_t Credit::kept_of(std::uint64_t waiting) const {
  if (fixed_per_slot_ > 0 || planted("hoarded-tasks-kept")) return waiting;
  const auto turns = static_cast<double>(waiting) / static_cast<double>(slots_ + 1);
  return turns * run_seconds_ < kHoardedSeconds ? waiting : std::min(waiting, prefetch());
}

bool Credit::is_urgent() const {
  const auto most = std::min({prefetch(), results_max_, fit_beside(0)});
  return limit_ > sent_ && (is_awaited_ || limit_ - sent_ >= most / 2);
}

}  // namespace eole::worker
