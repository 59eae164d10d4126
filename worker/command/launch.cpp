#include "worker/command/launch.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "worker/command/sandbox.hpp"

namespace eole::command {

namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (auto& string : strings) list.push_back(string.data());
  list.push_back(nullptr);
  return list;
}

constexpr std::size_t kWordBytesMax = 1024;  // Of one that an error names: its reason is behind it.

// What a child says of its end.
struct Problem {
  volatile int error = 0;
  volatile bool is_cwd = false;
};

// Shared memory: a child of vfork has this process's, one that begins in a group has its own.
Problem* shared_problem() {
  void* memory =
      ::mmap(nullptr, sizeof(Problem), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) Problem;
}

[[noreturn]] void become(char* const* argv, const Command& command, const Streams& streams,
                         Problem& problem) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);  // Its signals to its group are not for us; the session is ours, without a tty.
  take_streams(streams);
  if (command.has_limits) set_limits();
  const char* cwd = command.cwd.c_str();
  problem.is_cwd = *cwd != '\0' && ::chdir(cwd) != 0;
  if (!problem.is_cwd) ::execvp(argv[0], argv);
  problem.error = errno;
  ::_exit(127);
}

// The parent goes on once it has become another program, or has ended.
[[gnu::noinline]] pid_t start(char* const* argv, const Command& command, const Streams& streams,
                              Problem& problem) {
  const pid_t pid =
      command.cgroup ? fork_into(command.cgroup->descriptor(), CLONE_VFORK) : ::vfork();
  if (pid == 0) become(argv, command, streams, problem);
  return pid;
}

Error refusal(const Command& command, bool is_cwd, int error) {
  const auto& word = is_cwd ? command.cwd : command.argv[0];
  return {text(is_cwd ? "cwd " : "", cut_text(word, kWordBytesMax), ": ", std::strerror(error))};
}

}  // namespace

void take_streams(const Streams& streams) {
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(streams.in, 0);
  ::dup2(streams.out, 1);
  ::dup2(streams.err, 2);
  ::dup2(streams.progress, kProgressDescriptor);
}

bool Pipe::open() { return ::pipe2(ends_.data(), O_CLOEXEC) == 0; }

Expected<pid_t> launch(Command& command, const Streams& streams) {
  static Problem* const problem = shared_problem();
  if (problem == nullptr) return Error{"no memory for what its child may say"};
  problem->error = 0;
  problem->is_cwd = false;
  auto argv = pointers(command.argv);
  auto env = pointers(command.env);
  char** const before = ::environ;
  ::environ = env.data();  // execvp looks for the program in the PATH that it finds here.
  if (command.box) {
    auto pid = launch_in_box(*command.box, argv.data(), command.cwd.c_str(), streams);
    ::environ = before;
    return pid;
  }
  const pid_t pid = start(argv.data(), command, streams, *problem);
  ::environ = before;
  if (pid < 0) return Error{std::strerror(errno)};
  if (problem->error == 0) return pid;
  ::waitpid(pid, nullptr, 0);
  return refusal(command, problem->is_cwd, problem->error);
}

Expected<void> has_begun(const Command& command) {
  const auto& report = *command.box->report;
  using At = BoxReport::At;
  if (report.at == At::kBegun) return {};
  if (report.at != At::kBox) return refusal(command, report.at == At::kCwd, report.error);
  return Error{text("a box: ", report.what, ": ", std::strerror(report.error))};
}

}  // namespace eole::command
