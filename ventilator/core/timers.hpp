#pragma once
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace eole::ventilator {

/// The gate of tasks that wait for a time before they are queued. It writes nothing: a restart
/// opens it, once their workers had time to say that they have them.
class Timers {
 public:
  void put(Seq seq, TimePoint until) { waiting_.emplace(until, seq); }
  /// Those whose time has come, in the order of their times; some may have ended meanwhile.
  std::vector<Seq> take_due(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

 private:
  std::set<std::pair<TimePoint, Seq>> waiting_;
};

}  // namespace eole::ventilator
