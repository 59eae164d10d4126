#pragma once
#include <map>
#include <string>

#include "tests/simulation/tasks.hpp"

namespace eole::simulation {

/// What failed is tried again if its causes say so, and not sooner than it asked. Where workers are
/// lost, another attempt may be under way already.
class RetryRules {
 public:
  /// `keeps_workers`: none is lost in this run.
  explicit RetryRules(bool keeps_workers) : keeps_workers_(keeps_workers) {}
  void on_failed(const protocol::ResultRecord& result, TimePoint now);
  void on_send(const TaskId& id, const Plan& plan, bool was_restarted, TimePoint now) const;
  /// A worker says how an attempt ended that ran so long.
  void on_run(const TaskId& id, const Plan& plan, Duration ran, bool was_ended) const;
  void on_dead(const protocol::ResultRecord& letter, int executions) const;

 private:
  struct Failure {
    std::string cause;
    std::uint64_t retry_after_ms = 0;
    TimePoint when{};
  };
  bool keeps_workers_;
  std::map<TaskId, Failure> failures_;
};

}  // namespace eole::simulation
