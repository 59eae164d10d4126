#include "worker/command/serve.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/kinds/exec.hpp"
#include "common/process/system.hpp"
#include "worker/command/run.hpp"

namespace eole::command {

namespace {

// Until the worker is gone.
void serve(const Surroundings& around, std::string_view kind, const Serve& run_one) {
  frames::WorkerSocket worker;
  if (!worker.introduce(kind)) return;
  while (true) {
    const auto frame = worker.next();
    if (!frame || (!*frame && !worker.receive())) return;
    if (!*frame) continue;
    if (!worker.answer(**frame)) return;
    const auto* run = std::get_if<frames::Run>(&**frame);
    if (run == nullptr) continue;  // An order to end that came too late.
    if (!run_one(worker, around, *run)) return;
  }
}

bool run_command(frames::WorkerSocket& worker, const Surroundings& around, const frames::Run& run) {
  auto command = command_of(run);
  return command ? CommandRun(worker, around, run.number, std::move(*command)).serve()
                 : worker.send(frames::Failed{run.number, command.error().message, {}});
}

}  // namespace

void serve(std::string_view kind, const Serve& run) {
  process::unblock_signals();
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::fcntl(frames::kSocket, F_SETFD, FD_CLOEXEC);
  sigset_t ended;
  ::sigemptyset(&ended);
  ::sigaddset(&ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ended, nullptr);
  serve({.null = ::open("/dev/null", O_RDONLY | O_CLOEXEC),
         .ended = ::signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK)},
        kind, run);
  ::_exit(0);
}

void serve() {
  ::prctl(PR_SET_NAME, "eole-commands");
  serve(kinds::kExec.name, run_command);
}

void become(const char* command) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // If the worker died before that, its end of the socket is closed.
  pollfd worker{frames::kSocket, 0, 0};
  if (::poll(&worker, 1, 0) > 0 && (worker.revents & POLLHUP) != 0) ::_exit(1);
  const auto line = text("exec ", command);
  ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace eole::command
