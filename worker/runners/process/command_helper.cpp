#include "worker/runners/process/command_helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "worker/runners/process/command_frames.hpp"
#include "worker/runners/process/process_tree.hpp"

namespace eole::worker {

namespace {

using Clock = std::chrono::steady_clock;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// The worker, as its helper sees it.
class Worker {
 public:
  bool send(FrameType type, std::string_view payload) {
    return write_all(kHelperSocket, encode_frame(type, payload));
  }
  /// Reads what has come; false once the worker is gone.
  bool receive() {
    std::array<char, 65536> bytes;
    const auto got = ::read(kHelperSocket, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false;
    reader_.add({bytes.data(), static_cast<std::size_t>(got)});
    return true;
  }
  std::optional<Frame> next() { return reader_.next(); }

 private:
  FrameReader reader_;
};

struct Job {
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::string cwd;
  std::string input;
};

std::optional<Job> parse_job(std::string_view payload) {
  ByteReader reader(payload);
  Job job;
  const auto text = [&] { return std::string(reader.take(reader.get<std::uint32_t>())); };
  for (auto count = reader.get<std::uint32_t>(); count > 0 && reader.ok(); --count)
    job.argv.push_back(text());
  for (auto count = reader.get<std::uint32_t>(); count > 0 && reader.ok(); --count)
    job.env.push_back(text());
  job.cwd = text();
  job.input = text();
  if (!reader.ok() || job.argv.empty()) return std::nullopt;
  return job;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (auto& string : strings) list.push_back(string.data());
  list.push_back(nullptr);
  return list;
}

class Pipe {
 public:
  Pipe() = default;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool open() { return ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  int end(std::size_t which) const { return ends_[which]; }
  void close_end(std::size_t which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

struct Streams {
  int in;
  int out;
  int err;
};

// What the child of a vfork says of its end; it borrows this very stack until its exec.
struct LaunchProblem {
  volatile int error = 0;
  volatile bool is_cwd = false;
};

[[gnu::noinline]] pid_t launch(char* const* argv, const char* cwd, const Streams& streams,
                               LaunchProblem& problem) {
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
  problem.is_cwd = *cwd != '\0' && ::chdir(cwd) != 0;
  if (!problem.is_cwd) ::execvp(argv[0], argv);
  problem.error = errno;
  ::_exit(127);
}

// The command's pid; its standard streams are the given ends.
pid_t start(Job& job, const Streams& streams, std::string& error) {
  auto argv = pointers(job.argv);
  auto env = pointers(job.env);
  ::environ = env.data();  // execvp looks for the program in the PATH that it finds here.
  LaunchProblem problem;
  const pid_t pid = launch(argv.data(), job.cwd.c_str(), streams, problem);
  static char* nothing[] = {nullptr};
  ::environ = nothing;
  if (pid < 0) return error = std::strerror(errno), -1;
  if (problem.error == 0) return pid;
  ::waitpid(pid, nullptr, 0);
  error = text(problem.is_cwd ? text("cwd ", job.cwd) : job.argv[0], ": ",
               std::strerror(problem.error));
  return -1;
}

/// One command: moves its streams, ends its whole tree.
class Run {
 public:
  /// `null`: /dev/null, for a command without input. `ended_fd`: readable when a child ended.
  Run(Worker& worker, int null, int ended_fd, Job job)
      : worker_(worker), null_(null), ended_fd_(ended_fd), job_(std::move(job)) {
    has_pipes_ = out_.open() && err_.open() && (job_.input.empty() || in_.open());
    if (!has_pipes_) problem_ = text("no pipe for its streams: ", std::strerror(errno));
  }

  // False if the worker is gone.
  bool serve() {
    const int in = job_.input.empty() ? null_ : in_.end(0);
    if (has_pipes_) pid_ = start(job_, {in, out_.end(1), err_.end(1)}, problem_);
    if (pid_ < 0) return worker_.send(kFailed, problem_);
    in_.close_end(0);
    out_.close_end(1);
    err_.close_end(1);
    if (!job_.input.empty()) ::fcntl(in_.end(1), F_SETFL, O_NONBLOCK);
    while (has_children_) {
      if (!step()) return kill_tree(), false;
    }
    // What is left in the pipes, and no more: somebody else may hold an end of theirs open.
    if (!forward_rest(out_, kStdout) || !forward_rest(err_, kStderr)) return false;
    Bytes status;
    put<std::int32_t>(status, status_);
    put<std::uint8_t>(status, needed_kill_);
    return worker_.send(kEnded, status);
  }

 private:
  bool step() {
    std::array<pollfd, 5> watch{{{kHelperSocket, POLLIN, 0},
                                 {out_.end(0), POLLIN, 0},
                                 {err_.end(0), POLLIN, 0},
                                 {in_.end(1), POLLOUT, 0},
                                 {ended_fd_, POLLIN, 0}}};
    if (::poll(watch.data(), watch.size(), milliseconds_left()) < 0) return errno == EINTR;
    if (watch[0].revents != 0) {
      if (!worker_.receive()) return false;
      while (const auto frame = worker_.next())
        if (frame->type == kEnd) ask_to_end(ByteReader(frame->payload).get<std::uint32_t>());
    }
    if (watch[3].revents != 0) feed();
    if (watch[1].revents != 0 && !forward(out_, kStdout)) return false;
    if (watch[2].revents != 0 && !forward(err_, kStderr)) return false;
    if (watch[4].revents != 0) {
      signalfd_siginfo ignored;
      (void)!::read(ended_fd_, &ignored, sizeof ignored);
      reap();
      // What the command left behind does not outlive it, unless it was told to end in peace.
      if (is_over_ && !kill_at_) kill_tree();
    }
    if (kill_at_ && Clock::now() >= *kill_at_) kill_tree();
    return true;
  }

  int milliseconds_left() const {
    if (!kill_at_) return -1;
    const auto left = *kill_at_ - Clock::now();
    return std::max(0, static_cast<int>(left / std::chrono::milliseconds(1)) + 1);
  }

  // Each process of the tree may end in its own way first; one that was stopped must wake for it.
  void ask_to_end(std::uint32_t grace_ms) {
    if (kill_at_) return;
    kill_at_ = Clock::now() + std::chrono::milliseconds(grace_ms);
    for (const auto pid : descendants()) {
      ::kill(pid, SIGTERM);
      ::kill(pid, SIGCONT);
    }
  }

  void feed() {
    const auto left = std::string_view(job_.input).substr(fed_);
    const auto written = ::write(in_.end(1), left.data(), left.size());
    if (written > 0) fed_ += static_cast<std::size_t>(written);
    const bool is_broken = written < 0 && errno != EAGAIN && errno != EINTR;
    if (is_broken || fed_ == job_.input.size()) in_.close_end(1);
  }

  bool forward(Pipe& pipe, FrameType type) {
    std::array<char, 65536> bytes;
    const auto got = ::read(pipe.end(0), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return pipe.close_end(0), true;  // Its end, or nothing that waits.
    return worker_.send(type, {bytes.data(), static_cast<std::size_t>(got)});
  }

  bool forward_rest(Pipe& pipe, FrameType type) {
    if (pipe.end(0) >= 0) ::fcntl(pipe.end(0), F_SETFL, O_NONBLOCK);
    while (pipe.end(0) >= 0)
      if (!forward(pipe, type)) return false;
    return true;
  }

  void reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) note_end(pid, status);
    has_children_ = pid == 0;
  }

  // Kills until nobody is left: each orphan becomes our child, so the rounds end.
  void kill_tree() {
    for (reap(); has_children_; reap()) {
      needed_kill_ = needed_kill_ || kill_at_;
      for (const auto child : adopted_children()) ::kill(child, SIGKILL);
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, 0);
      if (pid > 0) note_end(pid, status);
    }
  }

  void note_end(pid_t pid, int status) {
    if (pid != pid_) return;
    status_ = status;
    is_over_ = true;
  }

  Worker& worker_;
  int null_;
  int ended_fd_;
  Job job_;
  Pipe in_, out_, err_;
  bool has_pipes_ = false;
  std::string problem_;  // Why it could not be started.
  pid_t pid_ = -1;
  std::size_t fed_ = 0;
  bool is_over_ = false;
  bool has_children_ = true;
  bool needed_kill_ = false;
  std::optional<Clock::time_point> kill_at_;  // Asked to end.
  int status_ = 0;
};

}  // namespace

void serve_commands() {
  process::unblock_signals();
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "eole-commands");
  ::fcntl(kHelperSocket, F_SETFD, FD_CLOEXEC);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  sigset_t ended;
  ::sigemptyset(&ended);
  ::sigaddset(&ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ended, nullptr);
  const int ended_fd = ::signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
  Worker worker;
  while (true) {
    const auto frame = worker.next();
    if (!frame && !worker.receive()) break;
    if (!frame || frame->type != kRun) continue;  // An order to end that came too late.
    auto job = parse_job(frame->payload);
    if (!job || !Run(worker, null, ended_fd, std::move(*job)).serve()) break;
  }
  ::_exit(0);
}

}  // namespace eole::worker
