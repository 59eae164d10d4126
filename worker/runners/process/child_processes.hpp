#pragma once
#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::worker {

/// The processes that this worker starts below itself. Each is a
/// program started anew (a process with a ZeroMQ context must not fork; vfork and exec are safe),
/// in a session of its own, with the descriptors that it is given and standard ones, and no more.
/// This process is the subreaper above them: what a dead one had started becomes its children, and
/// is killed. Any thread; it outlives whoever uses it.
class ChildProcesses {
 public:
  /// Made by the first thread, which adopts the orphans.
  ChildProcesses();

  struct Program {
    std::string path;
    std::vector<std::string> argv;
    std::vector<std::pair<int, int>> descriptors = {};  // (here, there).
    bool has_environment = false;                       // This process's; else none …
    std::vector<std::string> variables = {};            // … and NAME=VALUE instead of its own.
  };
  Expected<pid_t> start(const Program& program);
  enum class State : std::uint8_t { kWell, kStopped, kOver };
  static State state_of(pid_t pid);
  /// Kills it and everything that it had started; returns when they are gone: how it ended, as
  /// waitpid says it.
  int end(pid_t pid);

 private:
  void kill_orphans();
  std::mutex mutex_;
  std::set<pid_t> pids_;  // They are nobody's orphans, also where a kernel cannot tell.
};

}  // namespace eole::worker
