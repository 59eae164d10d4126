#include "worker/runners/process/command_runner.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/text.hpp"
#include "worker/runners/process/command_helper.hpp"

namespace eole::worker {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{250};     // Whether the helper is well: it cannot say so itself.
constexpr milliseconds kEndWithin{10'000};  // After SIGKILL; then the helper is held for hung.

std::string encode_command(const CommandRunner::Command& command) {
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
  return encode_frame(kRun, request);
}

}  // namespace

CommandRunner::CommandRunner(ChildProcesses& processes) : processes_(processes) {
  if (auto started = start_helper(); !started) throw std::runtime_error(started.error().message);
}

CommandRunner::~CommandRunner() { end_helper(); }

// The worker's own program, started anew.
Expected<void> CommandRunner::start_helper() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return Error{text("no socket pair for a command helper: ", std::strerror(errno))};
  const auto helper = processes_.start({.path = "/proc/self/exe",
                                        .argv = {"eole-commands", kHelperArgument},
                                        .descriptors = {{pair[1], kHelperSocket}},
                                        .has_environment = true});
  ::close(pair[1]);
  socket_ = pair[0];
  if (!helper) return end_helper(), helper.error();
  helper_ = *helper;
  return {};
}

void CommandRunner::end_helper() {
  processes_.end(std::exchange(helper_, -1));
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

// False once the helper is not well.
bool CommandRunner::send(std::string_view frame) {
  while (!frame.empty()) {
    const auto sent = ::send(socket_, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      frame.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      pollfd room{socket_, POLLOUT, 0};
      ::poll(&room, 1, static_cast<int>(kLookEvery.count()));
      if (!is_helper_well()) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool CommandRunner::receive() {
  std::array<char, 65536> bytes;
  const auto got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  frames_.add({bytes.data(), static_cast<std::size_t>(got)});
  return got > 0;
}

/// When a command must end, and when its helper must have said that it did.
class CommandRunner::Watch {
 public:
  explicit Watch(const Command& command) : command_(command) {
    if (command.time_limit.count() > 0) next_ = Clock::now() + command.time_limit;
  }
  /// How the command is to end, if that is asked now for the first time.
  std::optional<End> ask(bool is_cancelled) {
    if (asked_ || (!is_cancelled && (!next_ || Clock::now() < *next_))) return std::nullopt;
    asked_ = is_cancelled ? End::kCancelled : End::kTimeLimit;
    next_ = Clock::now() + command_.term_grace + kEndWithin;
    return asked_;
  }
  bool is_hung() const { return asked_ && Clock::now() >= *next_; }
  std::optional<End> asked() const { return asked_; }
  int wait_ms() const {
    if (!next_) return static_cast<int>(kLookEvery.count());
    const auto left = std::chrono::duration_cast<milliseconds>(*next_ - Clock::now()).count() + 1;
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLookEvery.count()));
  }

 private:
  const Command& command_;
  std::optional<Clock::time_point> next_;
  std::optional<End> asked_;
};

namespace {

// How the command ended, if this frame says so.
std::optional<CommandRunner::Ended> take(const Frame& frame,
                                         std::optional<CommandRunner::End> asked,
                                         const CommandRunner::OnOutput& on_output) {
  using End = CommandRunner::End;
  switch (frame.type) {
    case kStdout:
    case kStderr:
      on_output(frame.type == kStderr, frame.payload);
      return std::nullopt;
    case kFailed:
      return CommandRunner::Ended{End::kNotStarted, frame.payload, -1, false};
    case kEnded: {
      ByteReader reader(frame.payload);
      const auto status = reader.get<std::int32_t>();
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return CommandRunner::Ended{
          asked.value_or(End::kByItself), {}, code, reader.get<std::uint8_t>() != 0};
    }
    default:
      return CommandRunner::Ended{End::kLost, "its helper sent nonsense", -1, false};
  }
}

}  // namespace

bool CommandRunner::replace() {
  end_helper();
  frames_ = {};
  return bool{start_helper()};
}

// A command that had to end anyway did so, if not as it should have.
CommandRunner::Ended CommandRunner::lose(const Watch& watch) {
  replace();  // If it cannot be now, the next command tries again.
  return {watch.asked().value_or(End::kLost),
          "the process above it died or was stopped, so all of it was killed", -1, true};
}

CommandRunner::Ended CommandRunner::run(const Command& command, int cancel_fd,
                                        const OnOutput& on_output) {
  // What became of the helper between two commands is nobody's loss.
  if (!is_helper_well() && !replace())
    return {End::kLost, "no process can be started above it", -1, false};
  Watch watch(command);
  bool is_well = send(encode_command(command));
  while (is_well) {
    pollfd due[] = {{socket_, POLLIN, 0}, {watch.asked() ? -1 : cancel_fd, POLLIN, 0}};
    if (::poll(due, 2, watch.wait_ms()) < 0) continue;
    if (watch.ask((due[1].revents & POLLIN) != 0)) {
      Bytes grace;
      put<std::uint32_t>(grace, static_cast<std::uint32_t>(command.term_grace.count()));
      is_well = send(encode_frame(kEnd, grace));
    }
    if (due[0].revents != 0 && !receive()) break;
    while (const auto frame = frames_.next()) {
      const auto ended = take(*frame, watch.asked(), on_output);
      if (ended && ended->end == End::kLost) return lose(watch);
      if (ended) return *ended;
    }
    is_well = is_well && is_helper_well() && !watch.is_hung();
  }
  return lose(watch);
}

}  // namespace eole::worker
