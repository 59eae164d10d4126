#pragma once
#include "common/base/seq_ranges.hpp"
#include "ventilator/core/gates/due_times.hpp"
#include "ventilator/core/gates/gate.hpp"

namespace eole::ventilator {

/// Tasks that are of no use after a time. It holds none; who asks it to end a task knows whether
/// that has begun.
class Expiries : public Gate {
 public:
  bool enter(const Arrival& arrival, const Moment& moment, const Ends& ends,
             Released& out) override;
  void on_ended(Seq first, Seq last, const Ends& ends, Released& out) override;
  void on_deadline(const Moment& moment, Released& out) override;
  std::optional<TimePoint> next_deadline(const Moment& moment) const override;
  std::optional<Why> why(Seq, const Moment&) const override { return std::nullopt; }
  /// The end of a task that has not begun, if it is of no use any more.
  std::optional<Released::Ended> expired(Seq seq, const Moment& moment) const;

 private:
  static Released::Ended end_of(Seq seq);
  DueTimes<std::int64_t> dates_;
  SeqRanges passed_;  // Until they end.
};

}  // namespace eole::ventilator
