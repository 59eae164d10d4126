#include "worker/handlers/command_helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::worker {

namespace {

constexpr std::uint32_t kFrameBytesMax = 16 << 20;

bool write_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool read_all(int fd, char* bytes, std::size_t size) {
  while (size > 0) {
    const auto got = ::read(fd, bytes, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

std::vector<pid_t> children() {
  std::vector<pid_t> found;
  std::ifstream list(text("/proc/self/task/", ::getpid(), "/children"));
  if (list) {
    pid_t child = 0;
    while (list >> child) found.push_back(child);
    return found;
  }
  // A kernel without that file: ask every process who its parent is.
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const auto after_name = stat.rfind(')');
    if (after_name == std::string::npos || after_name + 4 >= stat.size()) continue;
    if (std::atoi(stat.c_str() + after_name + 4) == ::getpid()) found.push_back(pid);
  }
  return found;
}

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
  void open() { (void)!::pipe2(ends_.data(), O_CLOEXEC); }
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

// Only plain values live across vfork: the child borrows this very stack until its exec, and says
// in `error` why there was none.
[[gnu::noinline]] pid_t launch(char* const* argv, char* const* env, const char* cwd,
                               const Streams& streams, volatile int& error) {
  const pid_t pid = ::vfork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_DFL);
  ::setpgid(0, 0);  // Its signals to its group are not for us; the session is ours, without a tty.
  ::dup2(streams.in, 0);
  ::dup2(streams.out, 1);
  ::dup2(streams.err, 2);
  if (*cwd == '\0' || ::chdir(cwd) == 0) ::execvpe(argv[0], argv, env);
  error = errno;
  ::_exit(127);
}

// The command's pid; its standard streams are the given ends.
pid_t start(Job& job, const Streams& streams, std::string& problem) {
  auto argv = pointers(job.argv);
  auto env = pointers(job.env);
  volatile int error = 0;
  const pid_t pid = launch(argv.data(), env.data(), job.cwd.c_str(), streams, error);
  if (pid < 0) return problem = std::strerror(errno), -1;
  if (error == 0) return pid;
  ::waitpid(pid, nullptr, 0);
  problem = text(job.argv[0], ": ", std::strerror(error));
  return -1;
}

/// One command: moves its streams, ends its whole tree.
class Run {
 public:
  /// `null`: /dev/null, for a command without input.
  Run(int worker, int null, Job job) : worker_(worker), null_(null), job_(std::move(job)) {
    out_.open();
    err_.open();
    if (!job_.input.empty()) in_.open();
  }
  ~Run() {
    if (pid_fd_ >= 0) ::close(pid_fd_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // False if the worker is gone.
  bool serve() {
    std::string problem;
    const int in = job_.input.empty() ? null_ : in_.end(0);
    pid_ = start(job_, {in, out_.end(1), err_.end(1)}, problem);
    if (pid_ < 0) return send_frame(worker_, kFailed, problem);
    pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    in_.close_end(0);
    out_.close_end(1);
    err_.close_end(1);
    if (!job_.input.empty()) ::fcntl(in_.end(1), F_SETFL, O_NONBLOCK);
    while (!is_over_ || out_.end(0) >= 0 || err_.end(0) >= 0) {
      if (!step()) return end_tree(), false;
    }
    end_tree();
    Bytes status;
    put<std::int32_t>(status, status_);
    return send_frame(worker_, kEnded, status);
  }

 private:
  bool step() {
    std::array<pollfd, 5> watch{{{worker_, POLLIN, 0},
                                 {out_.end(0), POLLIN, 0},
                                 {err_.end(0), POLLIN, 0},
                                 {in_.end(1), POLLOUT, 0},
                                 {is_over_ ? -1 : pid_fd_, POLLIN, 0}}};
    if (::poll(watch.data(), watch.size(), -1) < 0) return errno == EINTR;
    if (watch[0].revents != 0) {
      const auto frame = receive_frame(worker_);
      if (!frame) return false;
      if (frame->type == kKill) end_tree();
    }
    if (watch[3].revents != 0) feed();
    if (watch[1].revents != 0 && !forward(out_, kStdout)) return false;
    if (watch[2].revents != 0 && !forward(err_, kStderr)) return false;
    // Once the command is over, what it left behind would hold the pipes open.
    if (watch[4].revents != 0) end_tree();
    return true;
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
    if (got <= 0) return pipe.close_end(0), true;
    return send_frame(worker_, type, {bytes.data(), static_cast<std::size_t>(got)});
  }

  // Kills until nobody is left: each orphan becomes our child, so the rounds end.
  void end_tree() {
    while (true) {
      int status = 0;
      while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
        if (pid < 0) return;  // No child is left.
        note_end(pid, status);
      }
      for (const auto child : children()) ::kill(child, SIGKILL);
      const pid_t pid = ::waitpid(-1, &status, 0);
      if (pid > 0) note_end(pid, status);
    }
  }

  void note_end(pid_t pid, int status) {
    if (pid != pid_) return;
    status_ = status;
    is_over_ = true;
  }

  int worker_;
  int null_;
  Job job_;
  Pipe in_, out_, err_;
  pid_t pid_ = -1;
  int pid_fd_ = -1;
  std::size_t fed_ = 0;
  bool is_over_ = false;
  int status_ = 0;
};

}  // namespace

bool send_frame(int fd, FrameType type, std::string_view payload) {
  Bytes frame;
  put<std::uint8_t>(frame, type);
  put<std::uint32_t>(frame, static_cast<std::uint32_t>(payload.size()));
  frame += payload;
  return write_all(fd, frame.data(), frame.size());
}

std::optional<Frame> receive_frame(int fd) {
  std::array<char, 5> head;
  if (!read_all(fd, head.data(), head.size())) return std::nullopt;
  ByteReader reader({head.data(), head.size()});
  Frame frame;
  frame.type = static_cast<FrameType>(reader.get<std::uint8_t>());
  const auto size = reader.get<std::uint32_t>();
  if (size > kFrameBytesMax) return std::nullopt;
  frame.payload.resize(size);
  if (!read_all(fd, frame.payload.data(), size)) return std::nullopt;
  return frame;
}

void serve_commands(int fd) {
  ::setsid();  // A Ctrl-C at the terminal is the worker's business.
  process::unblock_signals();
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "eole-commands");
  // Nothing of the worker's but this socket and the log: another slot's socket held open here
  // would hide the worker's death from that slot's helper.
  ::dup2(fd, 3);
  ::close_range(4, ~0U, 0);
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  while (const auto frame = receive_frame(3)) {
    if (frame->type != kRun) continue;  // A kill that came too late.
    auto job = parse_job(frame->payload);
    if (!job) break;
    if (!Run(3, null, std::move(*job)).serve()) break;
  }
  ::_exit(0);
}

}  // namespace eole::worker
