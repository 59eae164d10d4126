#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

/// What was said of a task when it was submitted, as its client remembers it.
struct Plan {
  protocol::TaskClass task_class;
  protocol::Conditions conditions = {};
  std::vector<protocol::Parent> parents = {};  // Of the conditions.
  Bytes trace = {};                            // That it is part of.
  TimePoint submitted{};                       // It was not accepted before.
  std::string last_of = {};                    // It is the last task of this project.
  TaskId id = {};                              // Once it was seen under one.
  bool is_refused = false;
};

/// One task, seen from outside.
struct SeenTask {
  struct End {
    protocol::TaskState state = protocol::TaskState::kDone;
    std::string project;
    std::uint64_t offset = 0;
  };
  std::string body;  // Promised; empty: its client has not heard its number.
  std::optional<TimePoint> answered;
  const Plan* plan = nullptr;
  std::int64_t submitted_unix_ms = 0;  // Zero: nobody said so.
  int executions = 0;
  bool may_be_cancelled = false;  // Somebody asked for it.
  std::optional<End> end;         // Durable in a log.
};

/// All tasks of a run. Bodies are unique, but for those of a schedule: so what was said of a task
/// is found by its body, before its number is known.
class Tasks {
 public:
  void plan(const std::string& body, Plan plan) { plans_[body] = std::move(plan); }
  /// It is no task from now on.
  void refuse(std::string_view body) { plans_.find(body)->second.is_refused = true; }
  /// What was said of it, by its body; null: nothing.
  const Plan* plan_of(std::string_view body) const;
  /// This body was seen under this number. Throws Violation if it was under another. True: now it
  /// is known what was said of the task.
  bool know(const TaskId& id, std::string_view body);

  SeenTask& at(const TaskId& id) { return seen_[id]; }
  const SeenTask* find(const TaskId& id) const;
  /// Null as long as no end is durable in a log.
  const SeenTask::End* end_of(const TaskId& id) const;
  bool is_over(const TaskId& id) const { return end_of(id) != nullptr; }
  bool has_begun(const TaskId& id) const;
  const std::map<TaskId, SeenTask>& all() const { return seen_; }

 private:
  std::map<std::string, Plan, std::less<>> plans_;
  std::map<TaskId, SeenTask> seen_;
};

}  // namespace eole::simulation
