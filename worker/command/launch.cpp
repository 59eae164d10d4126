#include "worker/command/launch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

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

// What the child of a vfork says of its end; it borrows this very stack until its exec.
struct Problem {
  volatile int error = 0;
  volatile bool is_cwd = false;
};

[[gnu::noinline]] pid_t start(char* const* argv, const Command& command, const Streams& streams,
                              Problem& problem) {
  const pid_t pid = ::vfork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);  // Its signals to its group are not for us; the session is ours, without a tty.
  ::dup2(streams.in, 0);
  ::dup2(streams.out, 1);
  ::dup2(streams.err, 2);
  ::dup2(streams.progress, kProgressDescriptor);
  if (command.filter_fd >= 0) ::dup2(command.filter_fd, kFilterDescriptor);
  if (command.has_limits) set_limits();
  const char* cwd = command.cwd.c_str();
  problem.is_cwd = *cwd != '\0' && ::chdir(cwd) != 0;
  if (!problem.is_cwd) ::execvp(argv[0], argv);
  problem.error = errno;
  ::_exit(127);
}

}  // namespace

bool Pipe::open() { return ::pipe2(ends_.data(), O_CLOEXEC) == 0; }

Expected<pid_t> launch(Command& command, const Streams& streams) {
  auto argv = pointers(command.argv);
  auto env = pointers(command.env);
  char** const before = ::environ;
  ::environ = env.data();  // execvp looks for the program in the PATH that it finds here.
  Problem problem;
  // It is read from where it stands, which its last reader moved.
  if (command.filter_fd >= 0) ::lseek(command.filter_fd, 0, SEEK_SET);
  const pid_t pid = start(argv.data(), command, streams, problem);
  ::environ = before;
  if (pid < 0) return Error{std::strerror(errno)};
  if (problem.error == 0) return pid;
  ::waitpid(pid, nullptr, 0);
  const auto& word = problem.is_cwd ? command.cwd : command.argv[0];
  return Error{text(problem.is_cwd ? "cwd " : "", cut_text(word, kWordBytesMax), ": ",
                    std::strerror(problem.error))};
}

}  // namespace eole::command
