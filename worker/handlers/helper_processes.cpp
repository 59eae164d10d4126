#include "worker/handlers/helper_processes.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "worker/handlers/command_helper.hpp"
#include "worker/handlers/process_tree.hpp"

namespace eole::worker {

HelperProcesses::HelperProcesses() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

Expected<HelperProcesses::Helper> HelperProcesses::start() {
  const std::scoped_lock lock(mutex_);
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return Error{text("no socket pair for a command helper: ", std::strerror(errno))};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pair[1], kHelperSocket);
  // Nothing else of the worker's: another helper's socket held open there would hide the worker's
  // death from that helper.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, kHelperSocket + 1);
  char name[] = "eole-commands";
  std::string argument = kHelperArgument;
  char* const argv[] = {name, argument.data(), nullptr};
  Helper helper;
  const int error =
      ::posix_spawn(&helper.pid, "/proc/self/exe", &actions, nullptr, argv, ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pair[1]);
  if (error != 0) {
    ::close(pair[0]);
    return Error{text("no command helper: ", std::strerror(error))};
  }
  helper.socket = pair[0];
  pids_.insert(helper.pid);
  return helper;
}

bool HelperProcesses::is_well(const Helper& helper) {
  siginfo_t info{};
  const auto what = WEXITED | WSTOPPED | WNOHANG | WNOWAIT;
  return helper.pid > 0 && ::waitid(P_PID, static_cast<id_t>(helper.pid), &info, what) == 0 &&
         info.si_pid == 0;
}

void HelperProcesses::end(Helper& helper) {
  if (helper.pid <= 0) return;
  ::kill(helper.pid, SIGKILL);
  ::waitpid(helper.pid, nullptr, 0);
  ::close(helper.socket);
  const std::scoped_lock lock(mutex_);
  pids_.erase(helper.pid);
  helper = {};
  if (!planted("orphans-live-on")) kill_orphans();
}

// An orphan that dies leaves its own children here before it can be waited for, so the rounds end.
void HelperProcesses::kill_orphans() {
  while (true) {
    std::vector<pid_t> orphans;
    for (const auto pid : adopted_children())
      if (!pids_.contains(pid)) orphans.push_back(pid);
    if (orphans.empty()) return;
    for (const auto pid : orphans) ::kill(pid, SIGKILL);
    for (const auto pid : orphans) ::waitpid(pid, nullptr, 0);
  }
}

}  // namespace eole::worker
