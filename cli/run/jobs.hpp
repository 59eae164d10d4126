#pragma once
#include <atomic>
#include <map>
#include <optional>
#include <string>

#include "cli/progress.hpp"
#include "cli/run/fabric.hpp"
#include "cli/run/feed.hpp"
#include "cli/run/halt.hpp"
#include "cli/run/history.hpp"
#include "cli/run/printer.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

/// What `eole run` was told.
struct RunOptions {
  std::optional<Template> command;  // Nothing: each input is a command line.
  std::vector<InputSource> sources;
  protocol::TaskClass task_class;
  std::optional<Template> output;
  std::string cwd;
  std::string key;  // The file of one that signs each command; empty: none.
  Value files;  // That go along, into a fresh directory.
  Value::Map env;
  double timeout = 0;  // Seconds; zero: none.
  std::string joblog;
  History::Begin begin = History::Begin::kAnew;
  HaltPolicy halt;
  bool has_bar = false;
  bool keeps_order = false;
  bool is_tagged = false;
};

/// The line of a job for a shell, and its arguments as a task. Errors say what does not fit.
std::string line_of(const RunOptions& options, const JobInputs& inputs);
Expected<Value> args_of(const RunOptions& options, const JobInputs& inputs);

/// The jobs of a run, from their inputs to their ends. Throws Failure.
class Jobs {
 public:
  static constexpr std::size_t kUnderWayMax = 16384;          // Submitted, or not printed yet.
  static constexpr std::size_t kUnderWayBytesMax = 64 << 20;  // Of their lines.
  static constexpr std::size_t kHeldBytesMax = 64
                                               << 20;  // Of what waits for its turn to be printed.

  Jobs(Cluster& cluster, RunOptions options);
  /// The exit code.
  int run();

 private:
  struct Job {
    JobInputs inputs;
    std::string line;
    TaskId id;
    std::optional<JobOutcome> outcome;  // Of its last attempt so far.
    bool is_over = false;
    bool is_dropped = false;  // What it printed is to be asked for again.
    std::size_t bytes() const { return line.size() * 2 + sizeof(Job); }
  };
  using Numbered = std::map<std::uint64_t, Job>;
  void adopt();
  bool feed();
  void take(JobInputs inputs);
  void on_result(std::uint64_t number, const Value& view, bool is_final);
  void on_end(Numbered::iterator job);
  void print_in_order();
  void forget(Numbered::iterator job);
  void note(const Job& job);
  void stop(Halt how);
  std::uint64_t total() const;
  void step();
  int sum_up();

  Cluster& cluster_;
  RunOptions options_;
  Feed feed_;
  History history_;
  Printer printer_;
  std::map<std::uint64_t, Value>
      adopted_;  // Jobs whose tasks there are already: a result, or an id.
  Fabric fabric_;
  Numbered jobs_;
  std::size_t line_bytes_ = 0;
  std::size_t held_bytes_ = 0;
  Halt stopping_ = Halt::kNone;
  Halt cancelled_to_ = Halt::kNone;  // What was asked of the cluster.
  bool was_told_to_stop_ = false;
  struct Counts {
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    std::uint64_t failed = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t skipped = 0;
  } counts_;
  std::optional<Failure> trouble_;  // Of a job that could not be submitted.
  ProgressLine bar_;
  std::uint64_t newest_ = 0;  // The job that has told last how far it is; zero: none.
  TaskProgress newest_progress_;
  process::StopSignal signals_;
};

}  // namespace eole::cli
