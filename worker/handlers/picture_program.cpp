#include "worker/handlers/picture_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
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

/// What the program starts with: three descriptors, its standard error, no signal blocked.
class Setting {
 public:
  Setting(int input, int output, int report) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_adddup2(&files_, input, picture::kInput);
    ::posix_spawn_file_actions_adddup2(&files_, output, picture::kOutput);
    ::posix_spawn_file_actions_adddup2(&files_, report, picture::kReport);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, picture::kReport + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);  // A Ctrl-C at the terminal is the worker's.
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~Setting() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
  // Zero, or why not.
  int spawn(pid_t& pid, const std::string& path, char* const* argv) const {
    char* const no_environment[] = {nullptr};
    return ::posix_spawn(&pid, path.c_str(), &files_, &attributes_, argv, no_environment);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

enum class Stop { kNone, kCancelled, kTooLong };

// Until the process is over, or must be; it is reaped in any case.
Stop wait_for(pid_t pid, int cancel_fd, int& status) {
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
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
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

Expected<Picture> run_picture_program(const PictureJob& job, int cancel_fd) {
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
  std::string words[] = {path, text(::getpid()), text(job.quality), text(job.width),
                         text(job.height)};
  char* const argv[] = {words[0].data(), words[1].data(), words[2].data(),
                        words[3].data(), words[4].data(), nullptr};
  pid_t pid = -1;
  const int problem = Setting(input.fd(), output.fd(), report_end.fd()).spawn(pid, path, argv);
  if (problem != 0) return Error{text("cannot start ", path, ": ", std::strerror(problem))};
  report_end.close();
  int status = 0;
  const auto stop = wait_for(pid, cancel_fd, status);
  if (stop == Stop::kCancelled) return Error{"cancelled"};
  if (stop == Stop::kTooLong) return Error{text("more than ", picture::kWallSecondsMax, " s")};
  if (WIFSIGNALED(status)) return Error{why_killed(WTERMSIG(status))};
  auto picture = read_report(report.fd());
  if (picture && WEXITSTATUS(status) != 0)
    return Error{text("its decoder ended with code ", WEXITSTATUS(status))};
  return picture;
}

}  // namespace eole::worker
