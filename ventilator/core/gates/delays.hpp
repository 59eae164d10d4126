#pragma once
#include "ventilator/core/gates/due_times.hpp"
#include "ventilator/core/gates/gate.hpp"

namespace eole::ventilator {

/// Tasks that wait for a time. A delay runs by the process's clock, from what everybody's says is
/// left of it; a date is everybody's.
class Delays : public Gate {
 public:
  bool enter(const Arrival& arrival, const Moment& moment, const Ends& ends,
             Released& out) override;
  void on_ended(Seq first, Seq last, const Ends& ends, Released& out) override;
  void on_deadline(const Moment& moment, Released& out) override;
  std::optional<TimePoint> next_deadline(const Moment& moment) const override;
  std::optional<Why> why(Seq seq, const Moment& moment) const override;

 private:
  DueTimes<TimePoint> delays_;
  DueTimes<std::int64_t> dates_;
};

}  // namespace eole::ventilator
