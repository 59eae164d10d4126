#pragma once
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::cli {

/// One task as a person or a script gives it.
struct TaskRequest {
  std::string kind;
  std::string project;
  Bytes args = "\x80";  // One msgpack value; an empty map if nothing was said.
  bool retry = false;
  std::uint8_t attempts_max = 0;  // Zero: the ventilator's own.
  std::uint64_t line = 0;         // Of the file that it was read from.
};

/// What it shares with others.
protocol::TaskClass class_of(const TaskRequest& task);

/// Why a ventilator would not take this task; of a kind that comes with Eole the arguments too.
/// The arguments of such a kind stay as they were given: the worker fills in the defaults.
Expected<void> check(const TaskRequest& task);

/// Reads lines of JSON, {"kind", "args"?, "project"?, "retry"?, "attempts"?}; what a line leaves
/// out is as in `preset`. An error names every bad line (the first kBadLinesShown of them).
constexpr std::size_t kBadLinesShown = 20;
Expected<std::vector<TaskRequest>> read_tasks(std::istream& input, const TaskRequest& preset);

}  // namespace eole::cli
