#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/value.hpp"
#include "worker/runners/process/child.hpp"

namespace eole::worker {

/// Runs the tasks of a slot in a child process, one at a time, whatever the child is: it speaks
/// frames. When it dies, is stopped, hangs or speaks nonsense, it is killed with everything that it
/// had started, the task's end says so, and the next task finds another one. One thread at a time.
class ProcessRunner {
 public:
  struct Program {
    std::string path;
    std::vector<std::string> argv;
    bool has_environment = true;  // The worker's; else none.
    /// Started at once, runs one task after another, and ends them itself when told to. Else there
    /// is a new one for each task, which is killed at its end.
    bool is_kept = true;
    /// Beyond the grace of a task: until one that was told to end it is held for hung.
    std::chrono::milliseconds ends_within{10'000};
  };
  /// Starts what is kept. Throws std::runtime_error.
  ProcessRunner(ChildProcesses& processes, Program program);

  struct Task {
    std::string id;
    std::uint32_t attempt = 1;
    std::string_view kind;
    const protocol::Value& args;
    std::string project = {};
    std::string traceparent = {};
    std::string directory = {};               // Its own; files that it hands back lie there.
    std::chrono::milliseconds time_limit{0};  // Zero: none.
    std::chrono::milliseconds grace{0};       // From the wish that it ends to its being ended.
  };
  enum class End : std::uint8_t {
    kDone,
    kFailed,
    kTimeLimit,
    kCancelled,
    kLost,  // Its process did not tell an end.
  };
  struct Ended {
    End end = End::kLost;
    protocol::Value value;
    std::string error;               // What the child says of the end; of kLost, what it did.
    std::vector<std::string> files;  // Whole paths.
    int signal = 0;                  // Of kLost: what ended the process.
    std::string words = {};          // Of kLost: "; it printed: …", if it did.
    protocol::Value stopped = {};    // Of one that was told to end: what the runner did.
  };
  using OnOutput = std::function<void(bool is_stderr, std::string_view bytes)>;
  using OnProgress = std::function<void(std::uint64_t done, std::uint64_t total, std::string text)>;
  /// Returns once the task is over, and all that it started. `cancel_fd` readable, or its time
  /// limit over: it is ended. Without `on_output` there must be none.
  Ended run(const Task& task, int cancel_fd, const OnOutput& on_output,
            const OnProgress& on_progress = {});

 private:
  class Watch;
  class Ear;
  Expected<void> start();
  Expected<void> begin(const Task& task);
  Ended finish(Ended ended, const Watch& watch);
  Ended lose(const Watch& watch, std::string problem);
  static protocol::Value killed(pid_t pid, const Watch& watch);

  ChildProcesses& processes_;
  Program program_;
  std::unique_ptr<Child> child_;
  bool is_known_ = false;     // It has said hello.
  std::uint64_t number_ = 0;  // Of this child's last run.
};

}  // namespace eole::worker
