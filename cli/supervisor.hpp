#pragma once
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

/// Starts the roles of a local cluster, starts one that dies again, drains them at the end. Has
/// no ZeroMQ context, so that it may fork.
class Supervisor {
 public:
  /// `log_directory`: each role's standard error goes to a file there.
  explicit Supervisor(std::string log_directory);

  /// `program`: a binary beside this one.
  void start(const std::string& name, const std::string& program,
             const std::vector<std::string>& arguments);
  /// Prints `ready` once `eole` with `probe` has succeeded; returns after a drain.
  int run(const std::vector<std::string>& probe, bool has_workers);

 private:
  struct Child {
    std::string program;
    std::vector<std::string> arguments;
    pid_t pid = -1;
    TimePoint started{};
    TimePoint restart_at{};
    int failures = 0;  // In a row, each within seconds.
  };
  pid_t spawn(const std::string& program, const std::vector<std::string>& arguments,
              const std::string& log);
  void reap(bool is_draining);
  void restart_due();
  void stop(bool workers, int signal);
  bool is_any_alive(bool workers) const;
  void drain();

  std::string log_directory_;
  process::StopSignal stop_;
  std::map<std::string, Child> children_;
  pid_t probe_ = -1;
  bool is_ready_ = false;
  bool probe_failed_ = false;
};

}  // namespace eole::cli
