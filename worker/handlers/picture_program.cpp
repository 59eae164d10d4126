#include "worker/handlers/picture_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>

#include "common/base/text.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::worker {

namespace {

constexpr int kFirstFree = 10;  // Above the descriptors that the program is given.

class File {
 public:
  explicit File(int fd) : fd_(fd) {
    if (fd_ < 0 || fd_ >= kFirstFree) return;
    fd_ = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree);
    ::close(fd);
  }
  ~File() { close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

std::string program_path() {
  std::array<char, 4096> path;
  const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string self(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return self.substr(0, self.find_last_of('/') + 1) + "eole-picture";
}

enum class Stop { kNone, kCancelled, kTooLong };

// Until the process is over, or must be; it is reaped in any case.
Stop wait_for(ChildProcesses& processes, pid_t pid, int cancel_fd, int& status) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(picture::kWallSecondsMax);
  const File process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  auto stop = Stop::kNone;
  while (process.fd() >= 0) {  // Else it is waited for below, and its own limits end it.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd watch[] = {{process.fd(), POLLIN, 0}, {cancel_fd, POLLIN, 0}};
    ::poll(watch, 2, static_cast<int>(std::max<std::int64_t>(0, left)));
    if (watch[0].revents != 0) break;
    if (watch[1].revents != 0) stop = Stop::kCancelled;
    if (stop == Stop::kNone && left <= 0) stop = Stop::kTooLong;
    if (stop != Stop::kNone) break;
  }
  if (stop != Stop::kNone) ::kill(pid, SIGKILL);
  status = processes.wait(pid);
  return stop;
}

std::string why_killed(int signal) {
  switch (signal) {
    case SIGXCPU:
      return text("more than ", picture::kCpuSecondsMax, " s of processor time");
    case SIGXFSZ:
      return text("a result of more than ", picture::kFileBytesMax, " bytes");
    case SIGKILL:
      return "its decoder was killed: is there too little memory?";
    default:
      return text("its decoder crashed (signal ", signal, "): the file is damaged or hostile");
  }
}

// The program may be in a hostile file's hands: its line is checked like anybody's.
Expected<Picture> read_report(int fd) {
  std::array<char, 2048> bytes;
  const auto size = ::read(fd, bytes.data(), bytes.size());
  std::string line(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  constexpr std::string_view kFailed = "failed ";
  if (line.starts_with(kFailed)) return Error{line.substr(kFailed.size())};
  std::istringstream words(line);
  std::string done;
  Picture picture;
  words >> done >> picture.width >> picture.height >> picture.is_plain;
  if (!words || done != "done") return Error{"its decoder ended without a word"};
  return picture;
}

}  // namespace

Expected<Picture> run_picture_program(const PictureJob& job, ChildProcesses& processes,
                                      int cancel_fd) {
  const File input(::open(job.input.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  const File output(
      ::open(job.output.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  int ends[2] = {-1, -1};
  (void)!::pipe2(ends, O_CLOEXEC | O_NONBLOCK);
  const File report(ends[0]);
  File report_end(ends[1]);
  if (input.fd() < 0 || output.fd() < 0 || report.fd() < 0 || report_end.fd() < 0)
    return Error{text("its files cannot be opened: ", std::strerror(errno))};

  const auto path = program_path();
  const auto pid = processes.start(
      {.path = path,
       .argv = {path, text(::getpid()), text(job.quality), text(job.width), text(job.height)},
       .descriptors = {{input.fd(), picture::kInput},
                       {output.fd(), picture::kOutput},
                       {report_end.fd(), picture::kReport}}});
  if (!pid) return pid.error();
  report_end.close();
  int status = 0;
  const auto stop = wait_for(processes, *pid, cancel_fd, status);
  if (stop == Stop::kCancelled) return Error{"cancelled"};
  if (stop == Stop::kTooLong) return Error{text("more than ", picture::kWallSecondsMax, " s")};
  if (WIFSIGNALED(status)) return Error{why_killed(WTERMSIG(status))};
  auto picture = read_report(report.fd());
  if (picture && WEXITSTATUS(status) != 0)
    return Error{text("its decoder ended with code ", WEXITSTATUS(status))};
  return picture;
}

}  // namespace eole::worker
