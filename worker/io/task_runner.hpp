#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "common/protocol/messages.hpp"
#include "worker/core/events.hpp"

namespace eole::worker {

/// What runs a worker's tasks: threads, or what the tests simulate. Called by the loop alone.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  virtual void start(const StartTask& task) = 0;
  /// The task's handler is told to end; it still reports, after a time limit that it failed.
  virtual void kill(const TaskId& id, bool is_timeout) = 0;
  /// Runs the tasks of a batch here and now.
  virtual BatchFinished run_batch(std::shared_ptr<const Batch> batch) = 0;
  virtual std::vector<TaskFinished> take_finished() = 0;
  virtual bool has_progress() = 0;
  virtual std::deque<protocol::Progress> take_progress() = 0;
  /// What its runners offer, if that is not what it was.
  virtual std::optional<RunnersChanged> take_runners() { return {}; }
  /// What could not be sent: shown later, or dropped and told of.
  virtual void give_back(std::deque<protocol::Progress>) {}
  /// For Transport::watch: readable, and due, when there is something to take.
  virtual int fd() const = 0;
  virtual bool& due() = 0;
};

/// The end of a task that was cancelled before it started.
TaskFinished report_cancelled(const StartTask& task, std::int64_t unix_ms);

}  // namespace eole::worker
