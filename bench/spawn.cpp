// The limit of every executor of commands: posix_spawn of /bin/true and wait, in LOOPS processes.
//   eole-bench-spawn LOOPS COUNT    commands a second
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const int loops = argc > 1 ? std::atoi(argv[1]) : 2;
  const int count = argc > 2 ? std::atoi(argv[2]) : 4000;
  char program[] = "/bin/true";
  char* const arguments[] = {program, nullptr};
  const auto start = std::chrono::steady_clock::now();
  for (int loop = 0; loop < loops; ++loop) {
    if (::fork() != 0) continue;
    for (int i = 0; i < count / loops; ++i) {
      pid_t pid = 0;
      int status = 0;
      if (::posix_spawn(&pid, program, nullptr, nullptr, arguments, environ) != 0) std::_Exit(3);
      ::waitpid(pid, &status, 0);
    }
    std::_Exit(0);
  }
  for (int loop = 0; loop < loops; ++loop) ::wait(nullptr);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("{\"commands\":%d,\"loops\":%d,\"commands_per_second\":%.0f}\n", count, loops,
              count / took.count());
  return 0;
}
