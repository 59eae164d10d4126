#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/value.hpp"
#include "worker/runners/process/child.hpp"
#include "worker/runners/process/talk.hpp"

namespace eole::worker {

/// Runs the tasks of a slot in a child process, one at a time, whatever the child is: it speaks
/// frames. When it dies, is stopped, hangs or speaks nonsense, it is killed with everything that it
/// had started, the task's end says so, and the next task finds another one. One thread at a time.
class ProcessRunner {
 public:
  using milliseconds = std::chrono::milliseconds;
  struct Program {
    std::string path;
    std::vector<std::string> argv;
    bool has_environment = true;  // The worker's; else none.
    std::vector<std::string> variables = {};
    std::vector<std::string> kinds = {};  // That it must offer …
    std::uint64_t ahead = 1;              // … and so many runs at a time that it must take.
    /// Started at once, runs one task after another, and ends them itself when told to. Else there
    /// is a new one for each task, which is killed at its end.
    bool is_kept = true;
    /// Beyond the grace of a task: until one that was told to end it is held for hung.
    milliseconds ends_within{10'000};

    /// Of a program that did not come with Eole, what people call it. It is looked after between
    /// two tasks, too; while it cannot be started its tasks wait; what it prints is its task's
    /// output, or goes to the log; it is told by SIGTERM what it did not hear.
    std::string name = {};
    std::uint64_t runs_max = 0;          // Then it is replaced; zero: never.
    std::uint64_t memory_bytes_max = 0;  // Likewise.
    milliseconds hello_within{30'000};
    milliseconds ping_every{5'000};  // While it has nothing to do.
    milliseconds pong_within{10'000};
    bool is_foreign() const { return !name.empty(); }
  };
  /// Starts what is kept. Throws std::runtime_error.
  ProcessRunner(ChildProcesses& processes, Program program);
  /// Ends its process in peace, if that is foreign.
  ~ProcessRunner();
  ProcessRunner(const ProcessRunner&) = delete;
  ProcessRunner& operator=(const ProcessRunner&) = delete;

  struct Task {
    std::string id;
    std::uint32_t attempt = 1;
    std::string kind;
    Bytes args;  // msgpack
    std::string project = {};
    std::string traceparent = {};
    std::string directory = {};  // Its own; files that it hands back lie there.
    milliseconds time_limit{0};  // Zero: none.
    milliseconds grace{0};       // From the wish that it ends to its being ended.
  };
  enum class End : std::uint8_t {
    kDone,
    kFailed,
    kTimeLimit,
    kCancelled,
    kLost,     // Its process did not tell an end.
    kUnbegun,  // It came to nobody: that was no attempt.
  };
  struct Ended {
    End end = End::kLost;
    protocol::Value value;
    std::string error;               // What the child says of the end; of kLost, what it did.
    std::vector<std::string> files;  // Whole paths.
    int signal = 0;                  // Of kLost: what ended the process.
    std::string words = {};          // Of kLost: "; it printed: …", if it did.
    protocol::Value stopped = {};    // Of one that was told to end: what the runner did.
    std::string cause = {};          // Of kFailed: as the child says it.
    std::uint64_t retry_after_ms = 0;
  };
  using OnOutput = std::function<void(bool is_stderr, std::string_view bytes)>;
  using OnProgress = std::function<void(std::uint64_t done, std::uint64_t total, std::string text)>;
  /// Lays an artifact into the run's directory.
  using OnFetch = std::function<Expected<void>(const std::string& sha256, const std::string& name)>;
  struct Run {
    Task task;
    std::function<int()> cancel_fd;  // Of a descriptor: readable, it is to end.
    OnOutput on_output;              // Without it there must be none.
    OnProgress on_progress = {};
    OnFetch on_fetch = {};  // Likewise.
    /// Of one behind others, whose descriptor nobody waits for yet.
    std::function<bool()> is_cancelled = {};
  };
  /// Returns once the task is over, and all that it started.
  Ended run(const Run& run);
  /// Likewise of several, one after another, which the child has all at once: no more than it said
  /// it takes. `on_ended` hears of each when it is over, in their order.
  using OnEnded = std::function<void(std::size_t run, Ended ended)>;
  void run(std::span<const Run> runs, const OnEnded& on_ended);

  const std::string& name() const { return program_.name; }
  bool is_foreign() const { return program_.is_foreign(); }
  /// Waits for its hello, as long as it may take: what it offers, and how much it takes at a time.
  /// It must offer that from now on. An error: why there is none.
  struct Offer {
    std::vector<frames::Kind> kinds;
    std::uint64_t ahead = 1;
  };
  Expected<Offer> introduce();
  /// The same of one that could not be introduced, once it has said hello by itself.
  std::optional<Offer> take_offer();
  /// What it offered cannot be had: as if it had not started.
  void refuse(const std::string& problem);
  /// Looks after a foreign program that has nothing to do; to be called about every second.
  void rest();
  /// Why it could not be started; empty: it could, or it was not tried yet. Runs come to nobody
  /// meanwhile; rest() tries it again.
  const std::string& problem() const { return problem_; }

 private:
  friend class Session;
  using Clock = std::chrono::steady_clock;
  Expected<void> start();
  void start_again();
  bool is_well() const { return child_ && child_->is_well(); }
  /// An error: it cannot run anything now.
  Expected<void> prepare(int cancel_fd);
  Expected<void> hear_hello(int cancel_fd);
  Expected<void> hear_between();
  void note_hello();
  /// It did not come to a hello; the next one starts a while later.
  Error fail(std::string problem);
  bool is_deaf() const;
  bool is_used_up();
  void replace(const std::string& why);
  void retire();
  void take_words(bool is_stderr, std::string_view bytes);

  ChildProcesses& processes_;
  Program program_;
  std::unique_ptr<Child> child_;
  Talk talk_;
  OnOutput words_of_run_;
  Clock::time_point started_at_{};
  Clock::time_point heard_at_{};  // Of it there was a sign of life.
  std::optional<Clock::time_point> pinged_at_;
  std::uint64_t pings_ = 0;
  Clock::time_point starts_at_{};  // Not sooner.
  int failures_ = 0;               // Starts in a row that came to no hello.
  std::string problem_;            // What the first of them said.
};

}  // namespace eole::worker
