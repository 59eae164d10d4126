#include "cli/ledger/git.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "cli/common.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::cli::ledger {

namespace {

constexpr Duration kLookEvery = 50ms;
constexpr Duration kPushMost = 600s;
constexpr Duration kCommandMost = 3600s;  // It collects garbage now and then.
constexpr Duration kOthersMost = 30s;     // A person's git beside it.
constexpr std::time_t kStaleSeconds = 600;  // A lock of somebody who was killed.
constexpr std::size_t kOutputMax = 4096;
constexpr int kLockThere = 3;  // Where the lock is in the child.
// As many files at once go into one pack, not into a file each: as git itself has it of a fetch.
constexpr std::size_t kPackedFrom = 100;

// What lies in memory as a file: no pipe that fills up.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : fd_(::memfd_create("git", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Failure{kNotDone, text("git: no memory: ", std::strerror(errno))};
    while (!content.empty()) {
      const auto bytes = ::write(fd_, content.data(), content.size());
      if (bytes < 0) throw Failure{kNotDone, text("git: no memory: ", std::strerror(errno))};
      content.remove_prefix(static_cast<std::size_t>(bytes));
    }
    ::lseek(fd_, 0, SEEK_SET);
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int fd() const { return fd_; }
  std::string content() const {
    std::string out(kOutputMax, '\0');
    const auto bytes = ::pread(fd_, out.data(), out.size(), 0);
    out.resize(static_cast<std::size_t>(bytes < 0 ? 0 : bytes));
    return out;
  }

 private:
  int fd_;
};

std::vector<std::string> environment() {
  std::vector<std::string> out{
      "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
      // For each object it asks for a quarter of a megabyte, and gives it back to the kernel.
      "MALLOC_TOP_PAD_=8000000", "MALLOC_TRIM_THRESHOLD_=64000000"};
  for (const auto* name : {"PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR"})
    if (const auto* value = std::getenv(name)) out.push_back(text(name, "=", value));
  return out;
}

// In a session of its own: without a terminal nothing can ask, and all of it is ended together.
pid_t start(std::vector<std::string> words, int input, int output, int lock) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto variables = environment();
  std::vector<char*> env;
  env.reserve(variables.size() + 1);
  for (auto& variable : variables) env.push_back(variable.data());
  env.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, input, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, 1);
  ::posix_spawn_file_actions_adddup2(&files, output, 2);
  ::posix_spawn_file_actions_adddup2(&files, lock, kLockThere);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  sigset_t changed;
  ::sigemptyset(&changed);
  ::sigaddset(&changed, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &changed);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, "git", &files, &attributes, argv.data(), env.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw Failure{kBadUse, text("git: cannot be run: ", std::strerror(error))};
  return pid;
}

void pause_a_little() { ::poll(nullptr, 0, static_cast<int>(kLookEvery / 1ms)); }

}  // namespace

Lock::Lock(const std::string& directory)
    : directory_(directory),
      fd_(::open(text(directory, "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  // Not where a child has its standard streams, or the lock itself.
  const int there = ::fcntl(fd_, F_DUPFD_CLOEXEC, kLockThere + 1);
  if (fd_ < 0 || there < 0)
    throw Failure{kBadUse, text(directory, "/.lock: ", std::strerror(errno))};
  ::close(std::exchange(fd_, there));
}

Lock::~Lock() { ::close(fd_); }

void Lock::take(const WhileWaiting& while_waiting) {
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (!while_waiting())
      throw Failure{kNotDone, text(directory_, ": another process is busy with it")};
    pause_a_little();
  }
}

void Lock::leave() { ::flock(fd_, LOCK_UN); }

Repository::Repository(const std::string& directory, std::string name, const Lock& lock,
                       WhileWaiting while_waiting)
    : name_(std::move(name)),
      path_(text(directory, "/", name_)),
      lock_(lock),
      while_waiting_(std::move(while_waiting)) {
  drop_stale_locks();
  if (!std::filesystem::exists(path_ + "/.git/HEAD"))
    need_run({"init", "--quiet", "--initial-branch=main", "--template="});
  if (run({"rev-parse", "--quiet", "--verify", "HEAD"}, kCommandMost).code != 0)
    need_run({"commit", "--quiet", "--allow-empty", "--message", name_ + ": begun"});
  // What was written or removed and not committed by one that was killed.
  need_run({"add", "--update", "--", "."});
  has_remote_ = run({"config", "--get", "remote.origin.url"}, kCommandMost).code == 0;
}

void Repository::set_remote(const std::string& url) {
  need_run({"config", "remote.origin.url", url});
  need_run({"config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"});
  has_remote_ = true;
}

// By git's lower commands: its `commit` looks at every file that is there.
void Repository::commit(const std::set<std::string>& paths, const std::string& message) {
  std::string list;
  for (const auto& path : paths) list += path + '\0';
  std::vector<std::string> words{"update-index", "--add", "--remove", "-z", "--stdin"};
  if (paths.size() >= kPackedFrom) words.insert(words.begin(), {"-c", "core.bigFileThreshold=0"});
  need_run(words, list);
  while (true) {
    const auto there = need_run({"rev-parse", "HEAD", "HEAD^{tree}"});
    const auto head = there.substr(0, there.find('\n'));
    const auto tree = need_run({"write-tree"});
    if (there == text(head, "\n", tree)) return;
    const auto commit = need_run({"commit-tree", "-p", head, "-m", message, tree});
    const auto put =
        run_alone({"update-ref", "-m", text("commit: ", message), "HEAD", commit, head});
    if (put.code == 0) break;
    // A person's commit that came between is to be below it.
    if (need_run({"rev-parse", "HEAD"}) == head) fail("update-ref", put);
  }
  need_run({"maintenance", "run", "--auto", "--quiet"});
  is_unpushed_ = true;
}

Expected<void> Repository::push() {
  const auto ended = run({"push", "--quiet", "origin", "HEAD"}, kPushMost);
  if (ended.code != 0) return Error{text("git push of ", path_, ": ", ended.output)};
  is_unpushed_ = false;
  return {};
}

Repository::Ended Repository::run(const std::vector<std::string>& words, Duration patience,
                                  std::string_view input) {
  // Which repository is said, not looked for above.
  std::vector<std::string> argv{"git",
                                text("--git-dir=", path_, "/.git"),
                                text("--work-tree=", path_)};
  for (const auto* setting :
       {"core.hooksPath=/dev/null", "core.fsmonitor=false",
        "core.fsync=objects,pack-metadata,reference", "core.fsyncMethod=batch",
        "core.quotePath=true", "gc.autoDetach=false", "user.name=eole ledger",
        "user.email=ledger@eole.invalid", "commit.gpgSign=false"}) {
    argv.emplace_back("-c");
    argv.emplace_back(setting);
  }
  argv.insert(argv.end(), words.begin(), words.end());
  std::filesystem::create_directories(path_);
  const MemoryFile in(input);
  const MemoryFile out({});
  const auto pid = start(std::move(argv), in.fd(), out.fd(), lock_.fd());
  const auto until = process::now() + patience;
  const int ended = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  const char* why = "";
  int status = 0;
  while (::waitpid(pid, &status, *why == '\0' ? WNOHANG : 0) == 0) {
    pollfd waiting{ended, POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(kLookEvery / 1ms));
    if (!while_waiting_() && words.front() == "push") why = "stopped";  // The rest is short.
    if (process::now() >= until) why = "took too long";
    if (*why != '\0') ::kill(-pid, SIGTERM);
  }
  if (ended >= 0) ::close(ended);
  if (*why != '\0') return {-1, why};
  auto told = out.content();
  while (!told.empty() && told.back() == '\n') told.pop_back();
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          told.empty() && WIFSIGNALED(status) ? text("signal ", WTERMSIG(status)) : told};
}

Repository::Ended Repository::run_alone(const std::vector<std::string>& words,
                                        std::string_view input) {
  const auto until = process::now() + kOthersMost;
  while (true) {
    auto ended = run(words, kCommandMost, input);
    const bool is_held = ended.output.find(".lock': File exists") != std::string::npos;
    if (ended.code == 0 || !is_held || process::now() >= until || !while_waiting_()) return ended;
    drop_stale_locks();
    pause_a_little();
  }
}

std::string Repository::need_run(const std::vector<std::string>& words, std::string_view input) {
  auto ended = run_alone(words, input);
  if (ended.code != 0) fail(words.front() == "-c" ? words[2] : words.front(), ended);
  return std::move(ended.output);
}

void Repository::fail(const std::string& what, const Ended& ended) const {
  throw Failure{kNotDone, text("git ", what, " in ", path_, ": ", ended.output)};
}

// Whoever was killed with all that it had started, or by a power cut, left them.
void Repository::drop_stale_locks() const {
  for (const auto* lock : {"index.lock", "HEAD.lock", "refs/heads/main.lock", "config.lock"}) {
    const auto path = text(path_, "/.git/", lock);
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) continue;
    // In those that nobody else writes nobody else can hold it.
    const auto age = process::unix_ms() / 1000 - found.st_mtime;
    if (name_ != "todo" || age >= kStaleSeconds) ::unlink(path.c_str());
  }
}

}  // namespace eole::cli::ledger
