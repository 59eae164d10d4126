#pragma once
#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/json_reader.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/value.hpp"

namespace eole::kinds {
class OfferedKinds;
struct Kind;
}

namespace eole::client {

/// A task that another waits for, as it is written; and what that means, once it is known.
struct After {
  std::string written;
  std::optional<std::uint64_t> index = {};  // Of the tasks that are submitted with it.
  TaskId id = {};
  std::string project = {};
  std::uint32_t count = 1;  // Of neighbours, from the id on.
};

/// One task as a person or a script gives it.
struct TaskRequest {
  protocol::TaskClass task_class = {};
  protocol::Conditions conditions = {};  // Without its parents: those are in `after`.
  std::vector<After> after = {};
  std::string name = {};
  Bytes args = "\x80";          // One msgpack value; an empty map if nothing was said.
  Bytes trace = {};             // That it is part of: protocol/trace.hpp; empty: none.
  bool has_references = false;  // {"$result": its place in `after`, …} among the arguments.
  std::uint64_t line = 0;       // Of the file that it was read from.
  /// What the cluster offers, if that is known; outlives it.
  const kinds::OfferedKinds* offered = nullptr;
  /// It is a chain's: what has a $ among its arguments is filled from a notification.
  bool is_filled = false;
};

/// Why a ventilator would not take this task; of a kind that comes with Eole, or whose runner tells
/// of them, the arguments too. They stay as they were given: the worker fills in the defaults.
/// `wrong`: becomes the name of an argument that is refused.
Expected<void> check(const TaskRequest& task, std::string* wrong = nullptr);
/// Null if nothing is known of its kind.
const kinds::Kind* kind_of(const TaskRequest& task);

/// What is wrong with one of several tasks that name one another.
struct Unresolved {
  std::size_t place = 0;  // Of the task.
  Error error;
  std::string at;  // In it, as a JSON pointer: "/name", "/after/2", "/args".
};
/// Finds what each task waits for: names of tasks before it, ids, projects. A name that a result is
/// taken from is waited for, too. Wrong are names that are used twice, that nothing has, or that
/// come later.
std::vector<Unresolved> resolve_parents(std::vector<TaskRequest>& tasks);

/// One task from an object with the words of a task; what it leaves out is as in `preset`.
Expected<TaskRequest> read_task(const protocol::Value& written, const TaskRequest& preset);
/// The same of what comes next in JSON. If the JSON is sound, it goes on behind the task.
Expected<TaskRequest> read_task(protocol::JsonReader& json, const TaskRequest& preset);

/// Reads lines of JSON with the words of a task (task_words.hpp); what a line leaves out is as in
/// `preset`. An error names every bad line (the first kBadLinesShown of them).
constexpr std::size_t kBadLinesShown = 20;
Expected<std::vector<TaskRequest>> read_tasks(std::istream& input, const TaskRequest& preset);

/// The tasks of such lines, each made anew whenever it is wanted: a million of them are the size of
/// their text and of their names.
class TaskLines {
 public:
  TaskLines(TaskLines&& other) noexcept;
  ~TaskLines();
  /// Errors: as of read_tasks.
  static Expected<TaskLines> read(std::istream& input, const TaskRequest& preset);
  using OnTask = std::function<Expected<void>(TaskRequest& task)>;
  /// In their order, with their parents resolved; until there is an error.
  Expected<void> each(const OnTask& on_task) const;
  std::size_t size() const { return size_; }

 private:
  struct Known;
  explicit TaskLines(const TaskRequest& preset);

  TaskRequest preset_;
  std::string text_;
  std::size_t size_ = 0;
  std::unique_ptr<Known> known_;
};

}  // namespace eole::client
