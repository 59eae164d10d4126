#include "cli/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "cli/common.hpp"
#include "cli/reach.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/private.hpp"

namespace eole::cli {

namespace {
constexpr int kLookMs = 20;  // How soon a dead role is seen.
constexpr Duration kRestartFirst = 50ms;
constexpr Duration kRestartMost = 1s;
constexpr Duration kQuickDeath = 5s;
constexpr Duration kStartMost = 1s;  // Who lives longer had what it needs.
constexpr int kFailuresMost = 5;     // To start, in a row; then the reason is no accident.
constexpr int kInVain = 2;  // The exit code of a role for which a person must change something.
constexpr int kNoProgram = 127;
constexpr std::size_t kWordsMax = 4096;
constexpr std::uintmax_t kLogFileBytesMax = 16 << 20;  // Of what one process says.
constexpr Duration kRotateEvery = 1s;
constexpr Duration kServersMost = 10s;  // Ventilator and sink end at once, or are hung.
}  // namespace

Supervisor::Supervisor(std::string log_directory) : log_directory_(std::move(log_directory)) {
  process::make_private_directory(log_directory_);
}

pid_t Supervisor::spawn(const std::string& program, const std::vector<std::string>& arguments,
                        const std::string& log, const std::string& ended, std::uint32_t restarts) {
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
  ::setenv("EOLE_ENDED", ended.c_str(), 1);
  ::setenv(process::kRestarts, std::to_string(restarts).c_str(), 1);
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(fd >= 0 ? fd : null, 1);
  ::dup2(fd >= 0 ? fd : null, 2);
  ::execv(argv[0], argv.data());
  ::dprintf(2, "cannot run %s: %s\n", argv[0], std::strerror(errno));
  ::_exit(127);
}

void Supervisor::start(const std::string& name, const std::string& program,
                       const std::vector<std::string>& arguments) {
  auto& child = children_[name];
  child.program = program;
  child.arguments = arguments;
  child.started = process::now();
  const auto log = text(log_directory_, "/", name, ".log");
  std::error_code is_new;
  child.log_start = std::filesystem::file_size(log, is_new);
  if (is_new) child.log_start = 0;
  child.pid = spawn(program, arguments, log, child.told, child.starts++);
}

// The files are written to by others: what is there is copied, and they begin anew. A line that
// comes between the two is lost.
void Supervisor::rotate() {
  const auto now = process::now();
  if (now < rotated_ + kRotateEvery) return;
  rotated_ = now;
  for (auto& [name, child] : children_) {
    const auto log = text(log_directory_, "/", name, ".log");
    std::error_code failed;
    if (std::filesystem::file_size(log, failed) <= kLogFileBytesMax || failed) continue;
    std::filesystem::copy_file(log, log + ".1", std::filesystem::copy_options::overwrite_existing,
                               failed);
    if (!failed) std::filesystem::resize_file(log, 0, failed);
    if (!failed) child.log_start = 0;
  }
}

void Supervisor::reap(bool is_draining) {
  int status = 0;
  while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
    if (pid < 0) return;
    if (pid == probe_) {
      probe_ = -1;
      is_ready_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      is_probe_due_ = !is_ready_;
      continue;
    }
    for (auto& [name, child] : children_) {
      if (child.pid != pid) continue;
      child.pid = -1;
      if (!is_draining) on_end(name, child, status);
    }
  }
}

void Supervisor::on_end(const std::string& name, Child& child, int status) {
  const auto now = process::now();
  const bool is_quick = now - child.started < kQuickDeath;
  child.has_run = child.has_run || (is_ready_ && now - child.started > kStartMost);
  // A signal came from outside, or from what a task did: no reason to believe that it cannot start.
  const bool is_failure = WIFEXITED(status) && (is_quick || !child.has_run);
  child.failures = is_failure ? child.failures + 1 : 0;
  child.restart_at =
      now + std::min<Duration>(kRestartMost, kRestartFirst * (1 << std::min(child.failures, 7)));
  const auto log = text(log_directory_, "/", name, ".log");
  auto why = WIFSIGNALED(status) ? text("signal ", WTERMSIG(status))
                                 : text("exit code ", WEXITSTATUS(status));
  if (const auto words = last_words(name, child); WIFEXITED(status) && !words.empty())
    why += ": " + words;
  const bool is_known = why == std::exchange(child.told, why) && is_quick;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  const bool is_in_vain = code == kInVain || code == kNoProgram;
  // What ran may find a table of keys half written, or a disk that is full for an hour.
  const bool is_over = child.has_run ? is_in_vain && child.failures >= kFailuresMost
                                     : is_in_vain || child.failures >= kFailuresMost;
  if (is_over) {
    if (std::exchange(has_given_up_, true)) return;
    const auto tries = child.failures > 1 ? text(", tried ", child.failures, " times") : "";
    std::printf("%s cannot start%s (%s); see %s\n", name.c_str(), tries.c_str(), why.c_str(),
                log.c_str());
  } else if (!is_known || WIFSIGNALED(status)) {
    std::printf("%s died (%s), starting it again; see %s\n", name.c_str(), why.c_str(),
                log.c_str());
  }
  std::fflush(stdout);
}

std::string Supervisor::last_words(const std::string& name, const Child& child) const {
  std::ifstream file(text(log_directory_, "/", name, ".log"), std::ios::binary);
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::uintmax_t>(std::max<std::streamoff>(0, file.tellg()));
  const auto from = std::max(child.log_start, size - std::min<std::uintmax_t>(size, kWordsMax));
  file.seekg(static_cast<std::streamoff>(from));
  std::string line;
  std::string last;
  while (std::getline(file, line))
    if (!line.empty()) last = line;
  // Its time and name are known: "2026-01-31T12:00:00.000Z error sink: what".
  constexpr std::string_view kLevel = "Z error ";
  if (const auto level = last.find(kLevel); level != std::string::npos)
    if (const auto colon = last.find(": ", level + kLevel.size()); colon != std::string::npos)
      last.erase(0, colon + 2);
  return shown(last);
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

bool Supervisor::is_any_failing() const {
  const auto now = process::now();
  return std::any_of(children_.begin(), children_.end(), [&](const auto& entry) {
    const auto& child = entry.second;
    return child.pid < 0 || (child.failures > 0 && now < child.started + kStartMost);
  });
}

std::string Supervisor::probe_log() const { return text(log_directory_, "/probe.log"); }

// The runners that could not start: the worker tries them again. Whatever else the probe said
// stands beside the status that it printed.
void Supervisor::print_broken() const {
  std::ifstream file(probe_log());
  Expected<Value> status = Error{"none"};
  for (std::string line; !status && std::getline(file, line);) status = Value::from_json(line);
  const auto* roles = status ? (*status)["roles"].as<Value::Array>() : nullptr;
  if (roles == nullptr) return;
  for (const auto& role : *roles)
    if (const auto* broken = role["broken"].as<Value::Array>())
      for (const auto& each : *broken)
        std::printf("%s goes on without %s\n", shown(role["name"].text_or("")).c_str(),
                    shown(each["problem"].text_or("")).c_str());
}

bool Supervisor::is_asked_again() {
  pollfd watch{stop_.fd(), POLLIN, 0};
  ::poll(&watch, 1, kLookMs);
  if (stop_.take() == 0) return false;
  std::printf("ending at once: what ran is run again after the next start\n");
  std::fflush(stdout);
  return true;
}

// Workers first: they finish what runs and hand back what waits, to a ventilator and a sink that
// are still there.
void Supervisor::drain() {
  std::printf("draining: what runs is finished first; once more (Ctrl-C) ends it at once\n");
  std::fflush(stdout);
  stop(true, SIGTERM);
  // Without a role that takes their results they would wait for ever.
  auto until = has_given_up_ ? process::now() + kServersMost : TimePoint::max();
  while (is_any_alive(true)) {
    if (is_asked_again() || process::now() > until) stop(true, SIGKILL);
    reap(true);
  }
  stop(false, SIGTERM);
  until = process::now() + kServersMost;
  while (is_any_alive(false)) {
    if (is_asked_again() || process::now() > until) stop(false, SIGKILL);
    reap(true);
  }
  if (probe_ > 0) {
    ::kill(probe_, SIGKILL);
    ::waitpid(probe_, nullptr, 0);
  }
}

int Supervisor::run(const std::vector<std::string>& probe, const std::string& page) {
  bool has_said = false;
  while (true) {
    if (std::exchange(is_probe_due_, false)) {
      std::error_code ignored;
      std::filesystem::remove(probe_log(), ignored);
      probe_ = spawn("eole", probe, probe_log());
    }
    if (is_ready_ && !has_said && !is_any_failing() && unreached(page).empty()) {
      has_said = true;
      print_broken();
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
    if (has_given_up_) {
      drain();
      return kNoCluster;
    }
    restart_due();
    rotate();
  }
}

}  // namespace eole::cli
