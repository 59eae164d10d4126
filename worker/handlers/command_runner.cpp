#include "worker/handlers/command_runner.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "common/base/bytes.hpp"
#include "common/base/text.hpp"
#include "worker/handlers/command_helper.hpp"

namespace eole::worker {

CommandRunner::CommandRunner() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    throw std::runtime_error("cannot make a socket pair for the command helper");
  helper_ = ::fork();
  if (helper_ < 0) throw std::runtime_error("cannot start the command helper");
  if (helper_ == 0) {
    ::close(pair[0]);
    serve_commands(pair[1]);  // Does not return.
  }
  ::close(pair[1]);
  socket_ = pair[0];
}

CommandRunner::~CommandRunner() {
  ::close(socket_);  // The helper sees the end, kills what runs, and leaves.
  ::waitpid(helper_, nullptr, 0);
}

Expected<CommandRunner::Ended> CommandRunner::run(const Command& command, int cancel_fd,
                                                  double timeout_seconds,
                                                  const OnOutput& on_output) {
  const Error gone{"the command helper died: the worker must be restarted"};
  Bytes request;
  const auto put_text = [&](std::string_view word) {
    put<std::uint32_t>(request, static_cast<std::uint32_t>(word.size()));
    request += word;
  };
  put<std::uint32_t>(request, static_cast<std::uint32_t>(command.argv.size()));
  for (const auto& argument : command.argv) put_text(argument);
  put<std::uint32_t>(request, static_cast<std::uint32_t>(command.env.size()));
  for (const auto& [name, value] : command.env) put_text(text(name, "=", value));
  put_text(command.cwd);
  put_text(command.input);
  if (!send_frame(socket_, kRun, request)) return gone;

  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  Ended ended;
  bool asked_kill = false;
  while (true) {
    pollfd watch[] = {{socket_, POLLIN, 0}, {asked_kill ? -1 : cancel_fd, POLLIN, 0}};
    int wait_ms = -1;
    if (timeout_seconds > 0 && !asked_kill) {
      const auto left = std::chrono::duration<double>(deadline - Clock::now()).count();
      wait_ms = left > 0 ? static_cast<int>(std::min(left, 3600.0) * 1000) + 1 : 0;
    }
    if (::poll(watch, 2, wait_ms) < 0 && errno != EINTR) return gone;
    const bool is_over = timeout_seconds > 0 && Clock::now() >= deadline;
    if (!asked_kill && ((watch[1].revents & POLLIN) != 0 || is_over)) {
      ended.is_timeout = (watch[1].revents & POLLIN) == 0;
      ended.is_killed = asked_kill = true;
      if (!send_frame(socket_, kKill, {})) return gone;
    }
    if (watch[0].revents == 0) continue;
    const auto frame = receive_frame(socket_);
    if (!frame) return gone;
    switch (frame->type) {
      case kStdout:
        on_output(false, frame->payload);
        break;
      case kStderr:
        on_output(true, frame->payload);
        break;
      case kFailed:
        ended.error = frame->payload;
        return ended;
      case kEnded: {
        ended.is_started = true;
        ByteReader reader(frame->payload);
        const auto status = reader.get<std::int32_t>();
        ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return ended;
      }
      default:
        return gone;
    }
  }
}

}  // namespace eole::worker
