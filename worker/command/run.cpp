#include "worker/command/run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"
#include "worker/command/script.hpp"
#include "worker/runners/process/process_tree.hpp"

namespace eole::command {

using protocol::Value;

namespace {
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kComplaintMax = 2048;  // As the worker keeps of a runner that died.
constexpr int kSignalled = 128;              // A shell says so of what died of signal N: 128 + N.

std::string on_one_line(std::string words) {
  while (words.ends_with('\n')) words.pop_back();
  std::string line;
  for (std::size_t at = 0, end = 0; end != words.npos; at = end + 1) {
    end = words.find('\n', at);
    line += text(line.empty() ? "" : "; ", shown(words.substr(at, end - at)));
  }
  return line;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}
}  // namespace

CommandRun::CommandRun(frames::WorkerSocket& worker, const Surroundings& around,
                       std::uint64_t number, Command command)
    : worker_(worker), around_(around), number_(number), command_(std::move(command)) {}

bool CommandRun::serve() {
  const bool has_input = !command_.input.empty();
  if (!out_.open() || !err_.open() || !progress_.open() || (has_input && !in_.open()))
    return fail(text("no pipe for its streams: ", std::strerror(errno)), {});
  const auto pid = launch(command_, {has_input ? in_.end(0) : around_.null, out_.end(1),
                                     err_.end(1), progress_.end(1)});
  if (!pid) return fail(pid.error().message, {});
  pid_ = *pid;
  in_.close_end(0);
  out_.close_end(1);
  err_.close_end(1);
  progress_.close_end(1);
  if (has_input) ::fcntl(in_.end(1), F_SETFL, O_NONBLOCK);
  while (has_children_) {
    if (!step()) return kill_tree(), false;
  }
  // What is left in the pipes, and no more: somebody else may hold an end of theirs open.
  if (progress_.end(0) >= 0) ::fcntl(progress_.end(0), F_SETFL, O_NONBLOCK);
  while (progress_.end(0) >= 0)
    if (!hear_progress()) return false;
  return forward_rest(out_, kStdout) && forward_rest(err_, kStderr) && tell_end();
}

bool CommandRun::step() {
  pollfd watch[] = {{frames::kSocket, POLLIN, 0}, {out_.end(0), POLLIN, 0},
                    {err_.end(0), POLLIN, 0},     {in_.end(1), POLLOUT, 0},
                    {around_.ended, POLLIN, 0},   {progress_.end(0), POLLIN, 0}};
  if (::poll(watch, std::size(watch), milliseconds_left()) < 0) return errno == EINTR;
  if (watch[0].revents != 0 && !hear_worker()) return false;
  if (watch[3].revents != 0) feed();
  if (watch[1].revents != 0 && !forward(out_, kStdout)) return false;
  if (watch[2].revents != 0 && !forward(err_, kStderr)) return false;
  if (watch[5].revents != 0 && !hear_progress()) return false;
  if (watch[4].revents != 0) {
    signalfd_siginfo ignored;
    (void)!::read(around_.ended, &ignored, sizeof ignored);
    reap();
    // What the command left behind does not outlive it, unless it was told to end in peace.
    if (is_over_ && !kill_at_ && has_children_) kill_tree();
  }
  if (kill_at_ && Clock::now() >= *kill_at_) kill_tree();
  return true;
}

int CommandRun::milliseconds_left() const {
  if (!kill_at_) return -1;
  const auto left = (*kill_at_ - Clock::now()) / std::chrono::milliseconds(1) + 1;
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

bool CommandRun::hear_worker() {
  if (!worker_.receive()) return false;
  while (true) {
    const auto frame = worker_.next();
    if (!frame) return false;
    if (!*frame) return true;
    if (const auto* cancel = std::get_if<frames::Cancel>(&**frame))
      if (cancel->number == number_) ask_to_end(cancel->grace_ms);
  }
}

// Each process of the tree may end in its own way first; one that was stopped must wake for it.
void CommandRun::ask_to_end(std::uint64_t grace_ms) {
  if (kill_at_) return;
  grace_ms_ = grace_ms;
  asked_at_ = Clock::now();
  kill_at_ = asked_at_ + std::chrono::milliseconds(grace_ms);
  for (const auto pid : worker::descendants()) {
    if (pid == pid_ && command_.box) continue;  // The box's own: all would die with it.
    if (::kill(pid, SIGTERM) == 0) ++asked_;
    ::kill(pid, SIGCONT);
  }
}

void CommandRun::feed() {
  const auto left = std::string_view(command_.input).substr(fed_);
  const auto written = ::write(in_.end(1), left.data(), left.size());
  if (written > 0) fed_ += static_cast<std::size_t>(written);
  const bool is_broken = written < 0 && errno != EAGAIN && errno != EINTR;
  if (is_broken || fed_ == command_.input.size()) in_.close_end(1);
}

bool CommandRun::forward(Pipe& pipe, Stream stream) {
  std::array<char, kPieceBytes> bytes;
  const auto got = ::read(pipe.end(0), bytes.data(), bytes.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return pipe.close_end(0), true;  // Its end, or nothing that waits.
  if (keep(stream, {bytes.data(), static_cast<std::size_t>(got)})) return true;
  return worker_.send(
      frames::Output{number_, stream, Bytes(bytes.data(), static_cast<std::size_t>(got))});
}

// What is not its task's output.
bool CommandRun::keep(Stream stream, std::string_view bytes) {
  const bool is_task = command_.use == Command::Use::kTask;
  if (stream == kStdout) {
    if (!is_task && said_.size() <= protocol::kInlineBytesMax) said_ += bytes;
    return !is_task;
  }
  if (is_task) return false;
  complaint_ += bytes;
  if (complaint_.size() > kComplaintMax) complaint_.erase(0, complaint_.size() - kComplaintMax);
  return command_.use == Command::Use::kStep;
}

// The newest is told: a command may say it as often as it likes.
bool CommandRun::hear_progress() {
  std::array<char, kPieceBytes> bytes;
  const auto got = ::read(progress_.end(0), bytes.data(), bytes.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return progress_.close_end(0), true;
  lines_.add({bytes.data(), static_cast<std::size_t>(got)});
  const auto told = lines_.take();
  return !told || worker_.send(frames::Progress{number_, told->done, told->total, told->text});
}

bool CommandRun::forward_rest(Pipe& pipe, Stream stream) {
  if (pipe.end(0) >= 0) ::fcntl(pipe.end(0), F_SETFL, O_NONBLOCK);
  while (pipe.end(0) >= 0)
    if (!forward(pipe, stream)) return false;
  return true;
}

void CommandRun::reap() {
  int status = 0;
  pid_t pid = 0;
  rusage used;
  while ((pid = ::wait4(-1, &status, WNOHANG, &used)) > 0) note_end(pid, status, used);
  has_children_ = pid == 0;
}

// Kills until nobody is left: each orphan becomes our child, so the rounds end.
void CommandRun::kill_tree() {
  if (has_children_ && command_.cgroup) command_.cgroup->kill();
  for (reap(); has_children_; reap()) {
    needed_kill_ = needed_kill_ || kill_at_;
    for (const auto child : worker::adopted_children()) ::kill(child, SIGKILL);
    int status = 0;
    rusage used;
    const pid_t pid = ::wait4(-1, &status, 0, &used);
    if (pid > 0) note_end(pid, status, used);
  }
}

// With what it had waited for itself: each process counts once.
void CommandRun::note_end(pid_t pid, int status, const rusage& used) {
  user_seconds_ += seconds(used.ru_utime);
  system_seconds_ += seconds(used.ru_stime);
  memory_kib_ = std::max<std::int64_t>(memory_kib_, used.ru_maxrss);
  if (pid != pid_) return;
  // A box's first process tells of the command; if it was killed itself, that is the command's end.
  status_ = command_.box && command_.box->report->has_ended ? command_.box->report->status : status;
  is_over_ = true;
}

// What was done to end it, and how long it took until all of it was gone.
Value CommandRun::how_stopped() const {
  if (!kill_at_) return {};
  const std::chrono::duration<double> took = Clock::now() - asked_at_;
  Value::Array signals{"SIGTERM"};
  if (needed_kill_) signals.emplace_back("SIGKILL");
  return Value::Map{{"pid", pid_},
                    {"processes", asked_},
                    {"signals", std::move(signals)},
                    {"seconds", took.count()}};
}

Value CommandRun::how_it_ended() const {
  const int signal = WIFSIGNALED(status_) ? WTERMSIG(status_) : 0;
  const int code = signal != 0 ? kSignalled + signal : WEXITSTATUS(status_);
  Value ended = Value::Map{{"exit_code", code}};
  if (signal != 0) ended.set("signal", signal);
  ended.set("user_seconds", user_seconds_);
  ended.set("system_seconds", system_seconds_);
  const auto together = command_.cgroup ? command_.cgroup->memory_bytes() : std::nullopt;
  ended.set("memory_bytes", together ? Value(*together) : Value(memory_kib_ * 1024));
  if (!command_.commit.empty()) ended.set("commit", command_.commit);
  if (auto stopped = how_stopped(); !stopped.is_null()) ended.set("stopped", std::move(stopped));
  return ended;
}

bool CommandRun::tell_end() {
  if (command_.box)
    if (const auto begun = has_begun(command_); !begun) return fail(begun.error().message, {});
  const auto ended = how_it_ended();
  const auto value = ended.to_msgpack();
  if (needed_kill_)
    return fail(
        text("SIGTERM did not end the process tree within ", grace_ms_, " ms, so it was killed"),
        value);
  if (kill_at_) return fail("SIGTERM ended the process tree", value);
  const auto code = ended["exit_code"].int_or(0);
  if (command_.use == Command::Use::kStep) {
    while (said_.ends_with('\n')) said_.pop_back();
    is_done_ = code == 0;
    return is_done_ || fail(text("git: ", on_one_line(complaint_)), {});
  }
  while (complaint_.ends_with('\n')) complaint_.pop_back();
  const bool is_script = command_.use == Command::Use::kScript;
  auto words = is_script && !complaint_.empty() ? text("; it printed: ", complaint_) : "";
  if (command_.cgroup)
    if (const auto limit = command_.cgroup->complaint(); !limit.empty()) words = "; " + limit;
  if (const int signal = static_cast<int>(ended["signal"].int_or(0)); signal != 0) {
    const char* name = ::sigabbrev_np(signal);
    return fail(text("exit code ", code, ": signal ", signal, name != nullptr ? " (SIG" : "",
                     name != nullptr ? name : "", name != nullptr ? ")" : "", words),
                value, text("signal:", signal));
  }
  if (code != 0) return fail(text("exit code ", code, words), value, text("exit:", code));
  if (is_script) return worker_.send(end_of_script(number_, said_, command_.cwd));
  return worker_.send(frames::Done{number_, value, {}});
}

}  // namespace eole::command
