#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// Tasks first, first + 1 …
struct Stretch {
  Seq first = 0;
  std::uint64_t count = 0;
  bool operator==(const Stretch&) const = default;
};

/// What waits for a worker. A task that was never dispatched costs it nothing: those are the
/// stretches of numbers of which the table of tasks knows none.
class Queue {
 public:
  /// Tasks up to `last` were accepted by earlier starts: they wait until they are opened.
  explicit Queue(Seq last) : recovered_{1, last}, fresh_{last + 1, last} {}

  void extend(Seq last) { fresh_.last = last; }
  void open_recovered() { is_recovered_open_ = true; }
  /// Accepted by an earlier start.
  bool is_recovered(Seq seq) const { return seq <= recovered_.last; }

  /// A task that came back.
  void put(Seq seq, bool in_front) { in_front ? ready_.push_front(seq) : ready_.push_back(seq); }
  /// Refused by every worker there is: it waits for another one.
  void park(Seq seq, Tasks& tasks);
  /// Another one is there.
  std::vector<Seq> take_parked(Tasks& tasks);

  /// The next tasks for `run`, at most so many: what came back first, one by one, then what is new.
  std::optional<Stretch> next(RunId run, const std::vector<RunId>& workers, std::uint64_t most,
                              Tasks& tasks, const SeqRanges& settled);
  bool is_empty() const;
  /// At least so many wait, but for those that ended meanwhile.
  std::uint64_t size() const;

 private:
  /// None of these was dispatched by this start.
  struct Fresh {
    Seq next = 1;
    Seq last = 0;
    std::uint64_t size() const { return next > last ? 0 : last + 1 - next; }
    std::optional<Stretch> take(std::uint64_t most, const Tasks& tasks, const SeqRanges& settled);
  };

  std::deque<Seq> ready_;
  std::deque<Seq> parked_;
  Fresh recovered_;
  Fresh fresh_;
  bool is_recovered_open_ = false;
};

/// No worker there is would take it.
bool is_refused_by_all(const Task& task, const std::vector<RunId>& workers);
bool is_refused_by(const Task& task, RunId run);

}  // namespace eole::ventilator
