#pragma once
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/fleet.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// The last attempt of what may kill its worker runs in one that has nothing else, so that it
/// harms nobody and no neighbour's crash counts (ring rule V7). Others are not to wait for it: such
/// attempts have half of the workers at most, take turns with what waits beside them, and what no
/// worker takes is passed over.
class LastAttempts {
 public:
  void put(Seq seq) { waiting_.push_back(seq); }

  struct Placed {
    std::vector<std::pair<RunId, Seq>> placed;
    std::vector<Seq> refused;  // By every worker there is.
    bool operator==(const Placed&) const = default;
  };
  /// `others_wait`: there are other tasks.
  Placed place(Fleet& fleet, const Tasks& tasks, bool others_wait, TimePoint now);
  /// It runs empty for a last attempt.
  std::optional<RunId> reserved() const { return reserved_; }
  std::optional<TimePoint> next_deadline() const;

 private:
  static constexpr Duration kReservedFor = 1s;  // At first.

  std::vector<Worker*> idle(Fleet& fleet, bool others_wait, std::size_t& busy);
  void reserve(Fleet& fleet, const Task& task, bool others_wait, TimePoint now);

  std::deque<Seq> waiting_;
  std::optional<RunId> reserved_;  // Until …
  TimePoint reserved_until_{};     // … then none is for a while, and next time for longer.
  TimePoint next_reserved_{};
  Duration reserved_for_ = kReservedFor;
  TimePoint last_now_{};
};

}  // namespace eole::ventilator
