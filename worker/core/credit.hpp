#pragma once
#include <algorithm>
#include <cstdint>

#include "common/base/time.hpp"
#include "worker/core/config.hpp"

namespace eole::worker {

/// How many tasks one ventilator may send: a level, the highest pipe number, never lowered within
/// a link (rule V3). Long tasks come one per slot, short ones far ahead.
class Credit {
 public:
  explicit Credit(const Config& config);

  /// What the worker has, and what waits for the sink.
  struct Load {
    std::uint64_t received = 0;  // Over the link's pipe.
    std::uint64_t unfinished = 0;
    std::uint64_t results = 0;  // Unacknowledged.
    std::uint64_t result_bytes = 0;
    std::uint64_t held_bytes = 0;  // Of tasks that have not ended.
  };
  /// A new link: nothing is granted.
  void start_anew() { limit_ = sent_ = 0; }
  /// `tasks` took so long together.
  void learn(Duration took, std::size_t tasks);
  /// `tasks` that came were so large together.
  void learn_size(std::uint64_t bytes, std::size_t tasks);
  /// More of them are told at once: somebody waits for what they bring.
  void set_slots(std::uint32_t slots) {
    is_awaited_ = is_awaited_ || slots > slots_;
    slots_ = slots;
  }
  void raise(const Load& load);
  /// When half of what may be held here could come anew; a beat brings the rest.
  bool is_urgent() const;
  /// The level, which the ventilator now hears.
  std::uint64_t tell() {
    is_awaited_ = false;
    return sent_ = limit_;
  }

  /// How many of so many that wait are kept: all, unless they came on the credit of far shorter
  /// ones, and would wait for long.
  std::uint64_t kept_of(std::uint64_t waiting) const;

  /// How many tasks, one after another, are worth the way to a slot.
  std::uint64_t together() const { return prefetch() / std::max<std::uint64_t>(1, slots_); }

 private:
  std::uint64_t prefetch() const;
  std::uint64_t fit_beside(std::uint64_t held_bytes) const;

  std::uint64_t slots_;
  std::uint64_t fixed_per_slot_;  // Zero: adapts.
  Duration prefetched_time_;
  std::uint64_t prefetch_max_;
  std::uint64_t results_max_;
  std::uint64_t result_bytes_max_;
  std::uint64_t held_bytes_max_;
  std::uint64_t limit_ = 0;
  std::uint64_t sent_ = 0;
  bool is_awaited_ = false;
  double run_seconds_ = 0;  // Average length of a task; zero: not known yet.
  double task_bytes_ = 1;   // Average size.
};

}  // namespace eole::worker
