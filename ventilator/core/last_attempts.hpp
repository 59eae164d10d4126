#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/fleet.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// The last attempt of what may kill its worker runs in one that has nothing else, so that it
/// harms nobody and no neighbour's crash counts (ring rule V7). Others are not to wait for it: such
/// attempts have half of the workers at most, take turns with what waits beside them, and those of
/// a kind that no worker runs are passed over.
class LastAttempts {
 public:
  void put(Seq seq, std::string_view kind);

  using Placed = std::vector<std::pair<RunId, Seq>>;
  /// `others_wait`: there are other tasks that this worker could take.
  using OthersWait = std::function<bool(const Worker&)>;
  Placed place(Fleet& fleet, const Tasks& tasks, const OthersWait& others_wait, TimePoint now);
  /// It runs empty for a last attempt.
  std::optional<RunId> reserved() const { return reserved_; }
  std::optional<TimePoint> next_deadline() const;

 private:
  static constexpr Duration kReservedFor = 1s;  // At first.

  using Waiting = std::map<std::string, std::deque<Seq>, std::less<>>;

  std::vector<Worker*> idle(Fleet& fleet, const OthersWait& others_wait, std::size_t& busy);
  Waiting::iterator choose(const std::set<std::string_view>& stuck, const Tasks& tasks);
  void reserve(Fleet& fleet, std::string_view kind, const OthersWait& others_wait, TimePoint now);

  Waiting waiting_;                // By kind: who takes one of it takes all.
  std::optional<RunId> reserved_;  // Until …
  TimePoint reserved_until_{};     // … then none is for a while, and next time for longer.
  TimePoint next_reserved_{};
  Duration reserved_for_ = kReservedFor;
  TimePoint last_now_{};
};

}  // namespace eole::ventilator
