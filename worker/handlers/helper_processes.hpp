#pragma once
#include <sys/types.h>

#include <mutex>
#include <set>

#include "common/base/expected.hpp"

namespace eole::worker {

/// The command helpers of this worker. Each is the worker's own program started anew (a process
/// with a ZeroMQ context must not fork; vfork and exec are safe), so one that died is replaced at
/// any time. This process is the subreaper above them: what a dead helper had started becomes its
/// children, and is killed. Any thread; it outlives whoever uses it.
class HelperProcesses {
 public:
  /// Made by the first thread, which adopts the orphans.
  HelperProcesses();

  struct Helper {
    pid_t pid = -1;
    int socket = -1;
  };
  Expected<Helper> start();
  /// False once it died, or was stopped: then it hears nothing any more.
  static bool is_well(const Helper& helper);
  /// Kills it and everything that it had started; returns when they are gone.
  void end(Helper& helper);

 private:
  void kill_orphans();
  std::mutex mutex_;
  std::set<pid_t> pids_;
};

}  // namespace eole::worker
