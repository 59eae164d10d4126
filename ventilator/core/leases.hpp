#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/protocol/records.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

using LeasedTasks = std::vector<std::pair<Seq, Lease>>;

/// What one worker was leased, in the order of its pipe; what is over is dropped lazily.
class Leases {
 public:
  explicit Leases(RunId run = 0) : run_(run) {}

  /// Tasks that leave, with the pipe's numbers from `first_number` on.
  void send(std::uint64_t first_number, std::uint32_t start, const std::vector<LeaseRun>& runs,
            Tasks& tasks);
  /// A task that it has already.
  void adopt(Seq seq, const Lease& lease);
  /// So many of them are its no more.
  void release(std::uint64_t count);

  /// Tasks of the link before this one. Those above `received` never arrived, if the worker says so
  /// of that very link; of the others it keeps what it holds.
  struct Left {
    std::vector<Seq> never_arrived;
    LeasedTasks gone;
    std::vector<Seq> uncopied = {};  // Of these the second copy never arrived.
    bool operator==(const Left&) const = default;
  };
  Left take_over(const Leases& before, std::optional<std::uint64_t> received,
                 const std::vector<protocol::Held>& held, Origin origin, Tasks& tasks);
  /// Those that it received and holds no more: suspect now (ring rule V4).
  LeasedTasks take_missing(std::uint64_t received, const std::vector<protocol::Held>& held,
                           Origin origin, Tasks& tasks);
  /// All of them: suspect now.
  LeasedTasks take_all(Tasks& tasks);

  /// Leased to it and not settled.
  std::uint64_t outstanding() const { return outstanding_; }
  std::size_t stretches() const { return pipe_.size(); }

 private:
  /// Tasks that were sent one after the other: seq, seq + 1 … under lease, lease + 1 …
  struct Stretch {
    std::uint64_t number = 0;  // The first one's; zero: received on an earlier link.
    Seq seq = 0;
    Lease lease;
    std::uint32_t count = 1;
    Lease lease_of(std::uint32_t i) const { return {lease.start, lease.number + i}; }
  };
  bool is_any_leased(const Stretch& stretch, Tasks& tasks) const;

  RunId run_;
  std::deque<Stretch> pipe_;
  std::size_t pipe_max_ = 0;  // When to prune it.
  std::uint64_t outstanding_ = 0;
};

/// What becomes of a task that a worker says it holds.
enum class Holding : std::uint8_t {
  kKept,
  kAdopted,   // Its holder keeps it, whoever had it.
  kFinished,  // It goes when the sink has acknowledged it.
  kDrop,
  kCancel,
  kReleased,  // A returned one that is nobody's business here.
  kReturned,  // A returned one that is leased to it.
};
/// `task`: null if it is no more than queued. `is_over`: settled, or never accepted.
Holding judge(const protocol::Held& held, const Task* task, RunId run, bool is_over);

}  // namespace eole::ventilator
