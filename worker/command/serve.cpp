#include "worker/command/serve.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "common/base/text.hpp"
#include "common/kinds/exec.hpp"
#include "common/process/system.hpp"
#include "worker/command/cgroup_tree.hpp"
#include "worker/command/checkout.hpp"
#include "worker/command/run.hpp"
#include "worker/command/sandbox.hpp"

namespace eole::command {

namespace {

constexpr const char* kBoxWorks = "a box works here";

using protocol::Value;

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

// What was gathered for its attempt, beside its directory and under the attempt's name.
std::vector<std::string> part_lists_of(const std::string& directory) {
  constexpr std::string_view kDirectory = ".directory";
  std::vector<std::string> paths;
  if (!directory.ends_with(kDirectory)) return paths;
  const auto stem = directory.substr(0, directory.size() - kDirectory.size());
  while (true) {
    auto path = text(stem, ".parts", paths.size() + 1);
    if (::access(path.c_str(), F_OK) != 0) return paths;
    paths.push_back(std::move(path));
  }
}

Source source_of(const Value& args) {
  return {args["git"].text_or(""), args["revision"].text_or(""), args["depth"].int_or(0),
          args["git_secret"].text_or(""), args["git_secret_name"].text_or("")};
}

Expected<Command> prepare(const frames::Run& run, const Value& args, Sandbox& sandbox,
                          std::string commit) {
  auto command = command_of(run, sandbox.is_box());
  if (!command) return command;
  command->commit = std::move(commit);
  std::vector<std::string> shown;
  if (sandbox.is_box()) shown = part_lists_of(run.directory);
  if (!args["git"].is_null()) shown.push_back(mirror_of(sandbox.settings(), source_of(args)));
  if (auto wrapped = sandbox.wrap(*command, run.directory, shown); !wrapped) return wrapped.error();
  return command;
}

bool run_command(frames::WorkerSocket& worker, const Surroundings& around, Sandbox& sandbox,
                 const frames::Run& run) {
  const auto refuse = [&](const std::string& why) {
    return worker.send(frames::Failed{run.number, why, {}});
  };
  const auto args = Value::from_msgpack(run.args);
  if (!args) return refuse(args.error().message);
  std::string commit;
  if (!(*args)["git"].is_null()) {
    auto checkout = checkout_of(source_of(*args), run.directory, sandbox.settings());
    if (!checkout) return refuse(checkout.error().message);
    CommandRun step(worker, around, run.number, std::move(*checkout));
    if (!step.serve()) return false;
    if (!step.is_done()) return true;  // Which it has told.
    commit = step.said();
  }
  auto command = prepare(run, *args, sandbox, std::move(commit));
  if (!command) return refuse(command.error().message);
  return CommandRun(worker, around, run.number, std::move(*command)).serve();
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

void serve(const std::vector<std::string>& settings) {
  ::prctl(PR_SET_NAME, "eole-commands");
  Sandbox sandbox(Settings::from(settings));
  serve(kinds::kExec.name,
        [&](frames::WorkerSocket& worker, const Surroundings& around, const frames::Run& run) {
          return run_command(worker, around, sandbox, run);
        });
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

void serve_instead(const std::vector<std::string>& words) {
  if (words.empty()) return;
  if (words[0] == kServeArgument) serve({words.begin() + 1, words.end()});
  if (words[0] == kCgroupsArgument) std::puts(told_of_cgroups().c_str()), std::exit(0);
  if (words.size() != 2) return;
  if (words[0] == kBecomeArgument) become(words[1].c_str());
  if (words[0] != kTryArgument) return;
  const auto works = try_level({.level = Level::kBox}, words[1]);
  std::puts(works ? kBoxWorks : works.error().message.c_str());
  std::exit(works ? 0 : 1);
}

}  // namespace eole::command
