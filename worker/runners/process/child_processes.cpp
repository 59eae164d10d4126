#include "worker/runners/process/child_processes.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "worker/runners/process/process_tree.hpp"

namespace eole::worker {

namespace {

/// What a program starts with: its descriptors, a session, no signal blocked.
class Setting {
 public:
  explicit Setting(const std::vector<std::pair<int, int>>& descriptors) {
    ::posix_spawn_file_actions_init(&files_);
    int last = STDERR_FILENO;
    for (const auto& [here, there] : descriptors) last = std::max(last, there);
    for (const auto& [here, there] : descriptors) {
      // Out of the way of the others: a worker may lack one of the standard ones.
      copies_.push_back(::fcntl(here, F_DUPFD_CLOEXEC, last + 1));
      ::posix_spawn_file_actions_adddup2(&files_, copies_.back(), there);
    }
    // Nothing else of the worker's: a child's socket held open in another process would hide the
    // worker's death from that child.
    ::posix_spawn_file_actions_addclosefrom_np(&files_, last + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    // A session: a Ctrl-C at the terminal is the worker's business.
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  }
  ~Setting() {
    for (const auto copy : copies_) ::close(copy);
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
  // Zero, or why not.
  int spawn(pid_t& pid, const std::string& path, char* const* argv, char* const* env) const {
    return ::posix_spawn(&pid, path.c_str(), &files_, &attributes_, argv, env);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
  std::vector<int> copies_;
};

std::vector<std::string> environment_of(const ChildProcesses::Program& program) {
  auto variables = program.variables;
  const auto is_replaced = [&](std::string_view variable) {
    const auto name = variable.substr(0, variable.find('=') + 1);
    return std::any_of(program.variables.begin(), program.variables.end(),
                       [&](const std::string& each) { return each.starts_with(name); });
  };
  if (program.has_environment)
    for (char** variable = ::environ; *variable != nullptr; ++variable)
      if (!is_replaced(*variable)) variables.emplace_back(*variable);
  return variables;
}

}  // namespace

ChildProcesses::ChildProcesses() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

Expected<pid_t> ChildProcesses::start(const Program& program) {
  auto words = program.argv;
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto environment = environment_of(program);
  std::vector<char*> variables;
  for (auto& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  pid_t pid = -1;
  const std::scoped_lock lock(mutex_);  // Known before anybody looks for orphans.
  const int error =
      Setting(program.descriptors).spawn(pid, program.path, argv.data(), variables.data());
  if (error != 0) return Error{text("cannot start ", program.path, ": ", std::strerror(error))};
  pids_.insert(pid);
  return pid;
}

ChildProcesses::State ChildProcesses::state_of(pid_t pid) {
  siginfo_t found{};
  const auto what = WEXITED | WSTOPPED | WNOHANG | WNOWAIT;
  if (::waitid(P_PID, static_cast<id_t>(pid), &found, what) != 0) return State::kOver;
  if (found.si_pid == 0) return State::kWell;
  return found.si_code == CLD_STOPPED ? State::kStopped : State::kOver;
}

int ChildProcesses::end(pid_t pid) {
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  {
    const std::scoped_lock lock(mutex_);
    pids_.erase(pid);
  }
  if (!planted("orphans-live-on")) kill_orphans();
  return status;
}

// An orphan that dies leaves its own children here before it can be waited for, so the rounds end.
void ChildProcesses::kill_orphans() {
  const std::scoped_lock lock(mutex_);
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
