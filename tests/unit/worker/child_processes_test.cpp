#include "worker/runners/process/child_processes.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace eole;
using worker::ChildProcesses;

TEST_CASE("the end of a process kills what it left behind, and nothing that another slot started",
          "[worker]") {
  ChildProcesses processes;
  const ChildProcesses::Program sleep{.path = "/bin/sleep", .argv = {"sleep", "600"}};
  const auto helper = processes.start(sleep);
  const auto picture = processes.start(sleep);  // By this thread, too: every list of it has it.
  REQUIRE((helper && picture));
  const pid_t orphan = ::fork();
  if (orphan == 0) ::execl("/bin/sleep", "sleep", "600", nullptr), ::_exit(127);
  processes.end(*helper);
  CHECK(::kill(*helper, 0) != 0);
  CHECK(::kill(orphan, 0) != 0);
  CHECK(ChildProcesses::state_of(*picture) == ChildProcesses::State::kWell);
  processes.end(*picture);
  CHECK(::kill(*picture, 0) != 0);
}

TEST_CASE("a process has the descriptors that it was given, and how it ended is told", "[worker]") {
  ChildProcesses processes;
  int ends[2];
  REQUIRE(::pipe2(ends, 0) == 0);  // Not even closed on exec.
  const auto shell = processes.start({.path = "/bin/sh",
                                      .argv = {"sh", "-c", "ls /proc/self/fd | wc -l >&3; exit 7"},
                                      .descriptors = {{ends[1], 3}}});
  REQUIRE(shell);
  ::close(ends[1]);
  char count[16] = {};
  REQUIRE(::read(ends[0], count, sizeof count - 1) > 0);
  CHECK(std::string(count) == "5\n");  // Three, what it was given, and the list itself.
  siginfo_t over{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(*shell), &over, WEXITED | WNOWAIT) == 0);
  CHECK(ChildProcesses::state_of(*shell) == ChildProcesses::State::kOver);
  CHECK(WEXITSTATUS(processes.end(*shell)) == 7);
  ::close(ends[0]);
}

TEST_CASE("what cannot be started says why", "[worker]") {
  ChildProcesses processes;
  const auto started = processes.start({.path = "/no/such/program", .argv = {"it"}});
  REQUIRE_FALSE(started);
  CHECK(started.error().message == "cannot start /no/such/program: No such file or directory");
}
