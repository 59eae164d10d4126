#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::worker {

/// Runs commands through a small helper process, one at a time. The helper is started before the
/// worker has threads or sockets (a process with a ZeroMQ context must not fork), and it adopts
/// every orphan of its command (subreaper), so that killing a command kills its whole tree,
/// whatever sessions and double forks it used. If the worker dies, the helper ends the command.
class CommandRunner {
 public:
  /// Starts the helper. Throws std::runtime_error.
  CommandRunner();
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  struct Command {
    std::vector<std::string> argv;
    std::map<std::string, std::string> env;  // Added to a small clean environment.
    std::string cwd;                         // Empty: the worker's scratch directory.
    std::string input;                       // Its standard input.
  };
  struct Ended {
    bool is_started = false;
    std::string error;   // Why it could not be started.
    int exit_code = -1;  // 128 + signal if a signal ended it.
    bool is_killed = false;
    bool is_timeout = false;
  };
  using OnOutput = std::function<void(bool is_stderr, std::string_view bytes)>;
  /// Returns once the command and everything it started are gone. `cancel_fd` readable, or
  /// `timeout_seconds` (zero: none) over: the tree is killed.
  Expected<Ended> run(const Command& command, int cancel_fd, double timeout_seconds,
                      const OnOutput& on_output);

 private:
  int socket_ = -1;
  pid_t helper_ = -1;
};

}  // namespace eole::worker
