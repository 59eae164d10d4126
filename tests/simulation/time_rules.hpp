#pragma once
#include <cstdint>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// Nothing before its time, nothing that has expired. Where clocks jump, the ring cannot know how
/// much of a delay is left after a restart.
class TimeRules {
 public:
  explicit TimeRules(bool do_clocks_jump) : do_clocks_jump_(do_clocks_jump) {}
  /// `was_restarted`: its ventilator, at any time.
  void on_send(const TaskId& id, const Plan& plan, bool was_restarted, const World& world) const;
  /// And has not ended. (What a worker has already goes on.)
  bool has_expired(const SeenTask& task, const World& world) const;

 private:
  bool do_clocks_jump_;
};

}  // namespace eole::simulation
