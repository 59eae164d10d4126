#include "worker/command/serve.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/kinds/exec.hpp"
#include "common/process/system.hpp"
#include "worker/command/run.hpp"

namespace eole::command {

namespace {

// One after another, until the worker is gone.
void serve(const Surroundings& around) {
  frames::WorkerSocket worker;
  if (!worker.introduce(kinds::kExec.name)) return;
  while (true) {
    const auto frame = worker.next();
    if (!frame || (!*frame && !worker.receive())) return;
    if (!*frame) continue;
    if (!worker.answer(**frame)) return;
    const auto* run = std::get_if<frames::Run>(&**frame);
    if (run == nullptr) continue;  // An order to end that came too late.
    auto command = command_of(*run);
    const bool is_well =
        command ? CommandRun(worker, around, run->number, std::move(*command)).serve()
                : worker.send(frames::Failed{run->number, command.error().message, {}});
    if (!is_well) return;
  }
}

}  // namespace

void serve() {
  process::unblock_signals();
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "eole-commands");
  ::fcntl(frames::kSocket, F_SETFD, FD_CLOEXEC);
  sigset_t ended;
  ::sigemptyset(&ended);
  ::sigaddset(&ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ended, nullptr);
  serve({.null = ::open("/dev/null", O_RDONLY | O_CLOEXEC),
         .ended = ::signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK)});
  ::_exit(0);
}

}  // namespace eole::command
