#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/time.hpp"
#include "common/protocol/not_done.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/why.hpp"

namespace eole::ventilator {

/// Now, by the process's clock and by everybody's: the first never jumps, the second may.
struct Moment {
  TimePoint now{};
  std::int64_t unix_ms = 0;
  bool is_disk_full = false;  // For new tasks.
  bool has_listeners = false;  // Somebody hears of what happens.
  /// What everybody's clock shows then, unless it jumps.
  std::int64_t unix_ms_at(TimePoint when) const {
    return unix_ms + when.time_since_epoch() / 1ms - now.time_since_epoch() / 1ms;
  }
};

/// How tasks ended. Until the sink was heard, of those that ended before only that they did.
struct Ends {
  const SeqRanges& settled;
  const protocol::NotDone& not_done;
  bool is_known = true;
};

/// A task with conditions, at the moment it becomes known: when it is accepted, or at a start.
struct Arrival {
  Seq seq = 0;
  std::int64_t accepted_unix_ms = 0;
  const protocol::Conditions& conditions;
  protocol::OnParentFailure on_parent_failure = protocol::OnParentFailure::kFail;
};

/// What gates let go.
struct Released {
  /// Ends without running.
  struct Ended {
    Seq seq = 0;
    protocol::TaskState state = protocol::TaskState::kFailed;
    Why why;
    bool operator==(const Ended&) const = default;
  };
  std::vector<Seq> seqs;
  std::vector<Ended> ended;
  bool operator==(const Released&) const = default;
};

/// A reason to wait before a task may be queued. Everything in it can be had again from the
/// journal's task records: it writes nothing.
class Gate {
 public:
  virtual ~Gate() = default;
  /// True if it holds the task: then it says once when it no longer does.
  virtual bool enter(const Arrival& arrival, const Moment& moment, const Ends& ends,
                     Released& out) = 0;
  /// These tasks are settled; some may be no news.
  virtual void on_ended(Seq first, Seq last, const Ends& ends, Released& out) = 0;
  /// Now it is known how all ended.
  virtual void on_introduced(const Ends&, Released&) {}
  virtual void on_deadline(const Moment&, Released&) {}
  /// A jump of everybody's clock is not foreseen: ask again every second.
  virtual std::optional<TimePoint> next_deadline(const Moment&) const { return std::nullopt; }
  /// Appends who is held here for this task, of this project, directly, until `out` has `most`.
  virtual void waiters_of(Seq seq, std::string_view project, std::size_t most, std::vector<Seq>& out) const {
    (void)seq, (void)project, (void)most, (void)out;
  }
  virtual std::optional<Why> why(Seq seq, const Moment& moment) const = 0;
};

}  // namespace eole::ventilator
