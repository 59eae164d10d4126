#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/base/within.hpp"
#include "ventilator/core/config.hpp"
#include "ventilator/core/durable.hpp"
#include "ventilator/core/fleet.hpp"
#include "ventilator/core/gates/gates.hpp"
#include "ventilator/core/limits/limits.hpp"
#include "ventilator/core/queue.hpp"
#include "ventilator/core/tasks.hpp"
#include "ventilator/core/why.hpp"

namespace eole::ventilator {

/// What people ask about a task that is not settled.
struct TaskView {
  std::string state;  // queued, waiting, running, cancelling, ending
  std::uint32_t attempt = 0;
  std::string worker;
  std::uint32_t pid = 0;                      // Of that worker.
  Lease lease;                                // While it is leased.
  std::vector<std::string> reasons;           // Why earlier attempts were none.
  std::optional<TimePoint> waits_until = {};  // If it is waiting for a time.
};

/// Where a task is, and why there: asks each part for its why, and changes none. Made for an
/// answer, of parts that outlive it.
class Explain {
 public:
  Explain(const Config& config, const Durable& durable, const Tasks& tasks, const Gates& gates,
          const Queue& queue, const Limits& limits, const Fleet& fleet, const Moment& moment)
      : config_(config),
        durable_(durable),
        tasks_(tasks),
        gates_(gates),
        queue_(queue),
        limits_(limits),
        fleet_(fleet),
        moment_(moment) {}

  /// Nothing if the task was never accepted, or is settled.
  std::optional<TaskView> task(Seq seq) const;
  /// Why such a task is where it is; `conditions`: its own, encoded, which the journal has. What a
  /// runner printed is for who sees all.
  std::vector<Why> why(Seq seq, std::string_view conditions, const Within& within = Within()) const;

 private:
  using State = Task::State;

  Why why_leased(Seq seq, const Task& task) const;
  Why why_suspect(const Task& task) const;
  Why why_paused(const Task& task) const;
  Why why_queued(Seq seq, ClassId id) const;
  std::optional<Why> why_for_ever(Seq seq) const;
  std::vector<Why> why_not_served(Seq seq, const Task* task, const Within& within) const;

  const Config& config_;
  const Durable& durable_;
  const Tasks& tasks_;
  const Gates& gates_;
  const Queue& queue_;
  const Limits& limits_;
  const Fleet& fleet_;
  const Moment& moment_;
};

}  // namespace eole::ventilator
