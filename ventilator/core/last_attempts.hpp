#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/fleet.hpp"
#include "ventilator/core/reservation.hpp"
#include "ventilator/core/task_class.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// The last attempt of what may kill its worker runs in one that has nothing else, so that it
/// harms nobody and no neighbour's crash counts (ring rule V7). Others are not to wait for it: such
/// attempts have half of the workers at most, take turns with what waits beside them, and those of
/// a class that no worker runs, or that a limit holds, are passed over.
class LastAttempts {
 public:
  /// The class stays where it is as long as one of its tasks is not settled.
  void put(Seq seq, ClassId id, const protocol::TaskClass& task_class);

  /// Those that wait, and some that do no more.
  template <class Visit>  // visit(seq, 1)
  void each(Visit&& visit) const {
    for (const auto& [id, lane] : waiting_)
      for (const auto seq : lane.seqs) visit(seq, std::uint64_t{1});
  }

  /// `others_wait`: there are other tasks that this worker could take.
  using OthersWait = std::function<bool(const Worker&)>;
  /// `is_open`: no limit holds tasks of this class.
  using IsOpen = std::function<bool(const protocol::TaskClass&)>;
  /// Leases it, before the next one is looked at: it may have been the last that a limit let go.
  using Lease = std::function<void(Worker& worker, Seq seq)>;
  void place(Fleet& fleet, const Tasks& tasks, const OthersWait& others_wait,
             const IsOpen& is_open, const Lease& lease, TimePoint now);
  /// It runs empty for a last attempt.
  std::optional<RunId> reserved() const { return reserved_.run(); }
  std::optional<TimePoint> next_deadline() const;

 private:
  struct Lane {
    const protocol::TaskClass* task_class;
    std::deque<Seq> seqs;
  };
  using Waiting = std::map<ClassId, Lane>;

  std::vector<Worker*> idle(Fleet& fleet, const OthersWait& others_wait, std::size_t& busy);
  Waiting::iterator choose(const std::set<ClassId>& stuck, const Tasks& tasks,
                           const IsOpen& is_open);
  void reserve(Fleet& fleet, const protocol::TaskClass& task_class, const Tasks& tasks,
               const OthersWait& others_wait, TimePoint now);

  Waiting waiting_;  // By class: who takes one of it takes all.
  Reservation reserved_;
  TimePoint last_now_{};
};

}  // namespace eole::ventilator
