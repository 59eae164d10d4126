#pragma once
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

/// Starts the roles of a local cluster, starts one that dies again, drains them at the end; gives
/// up if one cannot start. Has no ZeroMQ context, so that it may fork.
class Supervisor {
 public:
  /// `log_directory`: each role's standard error goes to a file there, of kLogFileBytesMax, and the
  /// one before it.
  explicit Supervisor(std::string log_directory);

  /// `program`: a binary beside this one.
  void start(const std::string& name, const std::string& program,
             const std::vector<std::string>& arguments);
  /// Prints `ready` once `eole` with `probe`, which tells the cluster's status as JSON, has
  /// succeeded and the page is served, and what of it cannot run; returns the exit code after a
  /// drain.
  int run(const std::vector<std::string>& probe, const std::string& page);

 private:
  struct Child {
    std::string program;
    std::vector<std::string> arguments;
    pid_t pid = -1;
    TimePoint started{};
    TimePoint restart_at{};
    std::uintmax_t log_start = 0;  // Where this start's lines begin in its log.
    bool has_run = false;  // For a while, in a cluster that was ready.
    int failures = 0;      // In a row: of a start, or within seconds of it.
    std::string told;      // Why it ended last.
    std::uint32_t starts = 0;
  };
  /// `ended`: how the one before it did; empty: there was none.
  pid_t spawn(const std::string& program, const std::vector<std::string>& arguments,
              const std::string& log, const std::string& ended = {}, std::uint32_t restarts = 0);
  void rotate();
  void reap(bool is_draining);
  void on_end(const std::string& name, Child& child, int status);
  /// What it wrote last since its start.
  std::string last_words(const std::string& name, const Child& child) const;
  void restart_due();
  void stop(bool workers, int signal);
  bool is_any_alive(bool workers) const;
  /// One of them is away, or was and may end again at once.
  bool is_any_failing() const;
  std::string probe_log() const;
  void print_broken() const;
  void drain();
  /// Waits a moment for another signal.
  bool is_asked_again();

  std::string log_directory_;
  process::StopSignal stop_;
  std::map<std::string, Child> children_;
  pid_t probe_ = -1;
  bool is_ready_ = false;
  bool is_probe_due_ = true;
  bool has_given_up_ = false;
  TimePoint rotated_{};
};

}  // namespace eole::cli
