#pragma once
#include <algorithm>
#include <optional>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace eole::ventilator {

/// A worker that is kept for what waits for it. Not for always, since what it runs may never end: for
/// a second at first, for longer whenever that was in vain, and a fifth of the time at most.
class Reservation {
 public:
  std::optional<RunId> run() const { return run_; }
  bool may_begin(TimePoint now) const { return !run_ && now >= next_; }
  void begin(RunId run, TimePoint now) {
    run_ = run;
    until_ = now + for_;
  }
  /// What waits got a worker, this one or another.
  void on_placed(RunId run) {
    if (run_ == run) end();
    for_ = kAtFirst;
  }
  void end() { run_.reset(); }
  void pass(TimePoint now) {
    if (!run_ || now < until_) return;
    end();
    next_ = now + for_ * (kShare - 1);
    for_ = std::min(for_ * 2, kLongest);
  }
  /// When it lapses, or when the next one may begin.
  TimePoint next_change() const { return run_ ? until_ : next_; }

 private:
  static constexpr Duration kAtFirst = 1s;
  static constexpr Duration kLongest = 600s;
  static constexpr int kShare = 5;

  std::optional<RunId> run_;
  TimePoint until_{};
  TimePoint next_{};
  Duration for_ = kAtFirst;
};

}  // namespace eole::ventilator
