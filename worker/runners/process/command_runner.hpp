#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "worker/runners/process/child_processes.hpp"
#include "worker/runners/process/command_frames.hpp"

namespace eole::worker {

/// Runs commands through a helper process, one at a time. The helper adopts every orphan of its
/// command (subreaper), so that ending a command ends its whole tree, whatever sessions and double
/// forks it used. If the worker dies, the helper kills the command; if the helper dies or is
/// stopped, it is replaced, and the command is lost. One thread at a time.
class CommandRunner {
 public:
  /// Starts the helper. Throws std::runtime_error.
  explicit CommandRunner(ChildProcesses& processes);
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  struct Command {
    std::vector<std::string> argv;
    std::map<std::string, std::string> env;  // All of its environment.
    std::string cwd;
    std::string input;                        // Its standard input.
    std::chrono::milliseconds time_limit{0};  // Zero: none.
    std::chrono::milliseconds term_grace{0};  // From SIGTERM to SIGKILL.
  };
  enum class End : std::uint8_t {
    kByItself,
    kNotStarted,
    kTimeLimit,
    kCancelled,
    kLost,  // Not its own doing: its helper died or was stopped.
  };
  struct Ended {
    End end = End::kByItself;
    std::string error;         // Why it could not be started, or was lost.
    int exit_code = -1;        // 128 + signal if a signal ended it.
    bool needed_kill = false;  // SIGTERM did not end all of it within the grace.
  };
  using OnOutput = std::function<void(bool is_stderr, std::string_view bytes)>;
  /// Returns once the command and everything it started are gone. `cancel_fd` readable, or its
  /// time limit over: the tree is ended.
  Ended run(const Command& command, int cancel_fd, const OnOutput& on_output);

 private:
  class Watch;
  bool send(std::string_view frame);
  bool receive();
  Expected<void> start_helper();
  void end_helper();
  bool replace();
  bool is_helper_well() const { return ChildProcesses::is_well(helper_); }
  Ended lose(const Watch& watch);

  ChildProcesses& processes_;
  pid_t helper_ = -1;
  int socket_ = -1;
  FrameReader frames_;
};

}  // namespace eole::worker
