#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace eole::ventilator {

/// Tasks on their way to the sink at one time, so that a sink that is away for long costs no more.
constexpr std::size_t kVerdictsPushedMax = 4096;

/// Tasks that end without a worker: each is pushed until it is read in the log (ring rule V9).
class Verdicts {
 public:
  explicit Verdicts(Duration retry) : retry_(retry) {}

  void add(Seq seq);
  void settle(Seq seq);
  std::size_t pushed() const { return pushed_.size(); }
  /// Another log may have none of them.
  void push_again() { next_push_ = {}; }
  /// Those to push now: new ones at once, all that are under way every now and then.
  std::vector<Seq> take_due(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

 private:
  Duration retry_;
  std::set<Seq> waiting_;
  std::set<Seq> pushed_;
  TimePoint next_push_{};
};

}  // namespace eole::ventilator
