#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/common.hpp"
#include "clients/cpp/blocking/submitter.hpp"
#include "clients/cpp/tasks/task_request.hpp"

namespace eole::cli {

using client::TaskRequest;

/// A stretch of ids, in the order of the tasks.
struct IdRange {
  Origin origin = 0;
  Seq first = 0;
  std::uint32_t count = 0;
};

/// Calls `on_task` of each of some tasks.
using EachTask = std::function<void(const std::function<void(TaskRequest& task)>& on_task)>;
/// Refuses arguments that a runner tells it does not take, pins that no worker has, and kinds that
/// are nearly another's name; says which kinds no connected worker runs. Throws Failure.
void look_for_workers(Cluster& cluster, const EachTask& each);
void look_for_workers(Cluster& cluster, TaskRequest& task);

/// The one task that these words mean behind `eole submit`. Throws Failure.
TaskRequest task_of_words(const std::vector<std::string>& words, Cluster& cluster);

/// Submits tasks, and waits for their results if asked.
class Submission {
 public:
  /// Only who `waits` asks the sink anything: where its log ends before the tasks are submitted.
  /// `keys`: each message has one, that and its number.
  Submission(Cluster& cluster, const std::string& key, bool waits, const std::string& keys = "");
  /// Its parents among the tasks are those that were added before.
  void add(const TaskRequest& task);
  /// Returns once all are accepted.
  void finish();
  const std::vector<IdRange>& ids() const { return ids_; }
  std::uint64_t count() const;
  /// "k3f9qz-17 to k3f9qz-36, k3f9qz-40".
  std::string ids_text() const;

  /// Hears each result, in the order of the tasks.
  using OnResult = std::function<void(const Value& view)>;
  /// Returns once every task is settled; true if all are done. Throws Failure, which names the
  /// tasks that go on, at SIGINT and SIGTERM.
  bool wait(const OnResult& on_result);

 private:
  Bytes conditions_of(const TaskRequest& task);
  TaskId id_of(std::uint64_t index) const;
  std::optional<std::uint64_t> place_of(const TaskId& id) const;  // None: of another submission.

  Cluster& cluster_;
  std::uint64_t added_ = 0;
  std::uint64_t start_offset_ = 0;  // Their results lie behind it.
  std::vector<IdRange> ids_;
  client::Submitter submitter_;
};

}  // namespace eole::cli
