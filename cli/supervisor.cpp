#include "cli/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {
constexpr int kLookMs = 20;  // How soon a dead role is seen.
constexpr Duration kRestartFirst = 50ms;
constexpr Duration kRestartMost = 1s;
constexpr Duration kQuickDeath = 5s;
constexpr Duration kServersMost = 10s;  // Ventilator and sink end at once, or are hung.
}  // namespace

Supervisor::Supervisor(std::string log_directory) : log_directory_(std::move(log_directory)) {
  std::filesystem::create_directories(log_directory_);
}

pid_t Supervisor::spawn(const std::string& program, const std::vector<std::string>& arguments,
                        const std::string& log) {
  const auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
  std::vector<std::string> words{path.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // A killed supervisor leaves no orphans.
  if (::getppid() != parent) ::_exit(1);
  ::setpgid(0, 0);  // Ctrl-C at the terminal is for the supervisor, which drains in order.
  process::unblock_signals();
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(fd >= 0 ? fd : null, 1);
  ::dup2(fd >= 0 ? fd : null, 2);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

void Supervisor::start(const std::string& name, const std::string& program,
                       const std::vector<std::string>& arguments) {
  auto& child = children_[name];
  child.program = program;
  child.arguments = arguments;
  child.started = process::now();
  child.pid = spawn(program, arguments, text(log_directory_, "/", name, ".log"));
}

void Supervisor::reap(bool is_draining) {
  int status = 0;
  while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
    if (pid < 0) return;
    if (pid == probe_) {
      probe_ = -1;
      is_ready_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      probe_failed_ = !is_ready_;
      continue;
    }
    for (auto& [name, child] : children_) {
      if (child.pid != pid) continue;
      child.pid = -1;
      if (is_draining) continue;
      const auto now = process::now();
      child.failures = now - child.started < kQuickDeath ? child.failures + 1 : 0;
      const auto pause =
          std::min<Duration>(kRestartMost, kRestartFirst * (1 << std::min(child.failures, 7)));
      child.restart_at = now + pause;
      const auto how = WIFSIGNALED(status) ? text("signal ", WTERMSIG(status))
                                           : text("exit code ", WEXITSTATUS(status));
      std::printf("%s died (%s), starting it again; see %s/%s.log\n", name.c_str(), how.c_str(),
                  log_directory_.c_str(), name.c_str());
      std::fflush(stdout);
    }
  }
}

void Supervisor::restart_due() {
  const auto now = process::now();
  for (auto& [name, child] : children_)
    if (child.pid < 0 && now >= child.restart_at) start(name, child.program, child.arguments);
}

void Supervisor::stop(bool workers, int signal) {
  for (const auto& [name, child] : children_)
    if (child.pid > 0 && (child.program == "worker") == workers) ::kill(child.pid, signal);
}

bool Supervisor::is_any_alive(bool workers) const {
  return std::any_of(children_.begin(), children_.end(), [&](const auto& entry) {
    return entry.second.pid > 0 && (entry.second.program == "worker") == workers;
  });
}

// Workers first: they finish what runs and hand back what waits, to a ventilator and a sink that
// are still there.
void Supervisor::drain() {
  std::printf("draining\n");
  std::fflush(stdout);
  stop(true, SIGTERM);
  while (is_any_alive(true)) {
    pollfd watch{stop_.fd(), POLLIN, 0};
    ::poll(&watch, 1, kLookMs);
    if (stop_.take() > 0) stop(true, SIGKILL);
    reap(true);
  }
  stop(false, SIGTERM);
  const auto until = process::now() + kServersMost;
  while (is_any_alive(false)) {
    if (process::now() > until) stop(false, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
    reap(true);
  }
  if (probe_ > 0) {
    ::kill(probe_, SIGKILL);
    ::waitpid(probe_, nullptr, 0);
  }
}

int Supervisor::run(const std::vector<std::string>& probe, bool has_workers) {
  probe_failed_ = has_workers;
  is_ready_ = false;
  bool has_said = false;
  if (!has_workers) is_ready_ = true;
  while (true) {
    if (probe_failed_ && !is_ready_ && probe_ < 0) {
      probe_failed_ = false;
      probe_ = spawn("eole", probe, text(log_directory_, "/probe.log"));
    }
    if (is_ready_ && !has_said) {
      has_said = true;
      std::printf("ready\n");
      std::fflush(stdout);
    }
    pollfd watch{stop_.fd(), POLLIN, 0};
    ::poll(&watch, 1, kLookMs);
    if (stop_.take() > 0) {
      drain();
      return kDone;
    }
    reap(false);
    restart_due();
  }
}

}  // namespace eole::cli
