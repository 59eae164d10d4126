#include "worker/runners/process/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::worker {

namespace {

using State = ChildProcesses::State;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kRestBytesMax = 1 << 20;  // More than a socket holds.
constexpr int kDyingMs = 1000;                  // From a closed socket to the end of its process.

void close_all(std::initializer_list<int> descriptors) {
  for (const auto fd : descriptors)
    if (fd >= 0) ::close(fd);
}

}  // namespace

Expected<std::unique_ptr<Child>> Child::start(ChildProcesses& processes,
                                              ChildProcesses::Program program, OnWords on_words) {
  int sockets[2] = {-1, -1};
  int out[2] = {-1, -1};
  int err[2] = {-1, -1};
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool is_open = null >= 0 &&
                       ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0 &&
                       ::pipe2(out, O_CLOEXEC) == 0 && ::pipe2(err, O_CLOEXEC) == 0;
  program.descriptors = {{null, STDIN_FILENO},
                         {out[1], STDOUT_FILENO},
                         {err[1], STDERR_FILENO},
                         {sockets[1], frames::kSocket}};
  const auto pid = is_open ? processes.start(program)
                           : Expected<pid_t>(Error{text("no descriptors for ", program.path, ": ",
                                                        std::strerror(errno))});
  close_all({null, sockets[1], out[1], err[1]});
  if (!pid) return close_all({sockets[0], out[0], err[0]}), pid.error();
  for (const auto fd : {out[0], err[0]}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return std::unique_ptr<Child>(
      new Child(processes, *pid, sockets[0], {out[0], err[0]}, std::move(on_words)));
}

Child::~Child() {
  if (pid_ > 0) processes_.end(pid_);
  close_all({socket_, words_fds_[0], words_fds_[1]});
}

bool Child::wait(int cancel_fd, int milliseconds) {
  const auto wanted = static_cast<short>(outgoing_.empty() ? POLLIN : POLLIN | POLLOUT);
  pollfd due[] = {{socket_, wanted, 0},
                  {words_fds_[0], POLLIN, 0},
                  {words_fds_[1], POLLIN, 0},
                  {cancel_fd, POLLIN, 0}};
  if (::poll(due, std::size(due), milliseconds) <= 0) return false;
  for (std::size_t stream = 0; stream < words_fds_.size(); ++stream)
    if (due[1 + stream].revents != 0) take_words(stream);
  if ((due[0].revents & POLLOUT) != 0) give();
  if ((due[0].revents & ~POLLOUT) != 0) receive();
  return (due[3].revents & POLLIN) != 0;
}

bool Child::is_well() const {
  return !is_closed_ && ChildProcesses::state_of(pid_) == State::kWell;
}

void Child::send(const Bytes& encoded) {
  outgoing_ += encoded;
  give();
}

void Child::give() {
  const auto sent =
      ::send(socket_, outgoing_.data(), outgoing_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) outgoing_.erase(0, static_cast<std::size_t>(sent));
  // An error is no end yet: it may have said something before.
  if (sent < 0 && errno != EAGAIN && errno != EINTR) outgoing_.clear();
}

// Whether anything came.
bool Child::receive() {
  std::array<char, kPieceBytes> bytes;
  const auto got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) return frames_.add({bytes.data(), static_cast<std::size_t>(got)}), true;
  is_closed_ = is_closed_ || got == 0 || (errno != EAGAIN && errno != EINTR);
  return false;
}

// Whether there may be more.
bool Child::take_words(std::size_t stream) {
  auto& fd = words_fds_[stream];
  if (fd < 0) return false;
  std::array<char, kPieceBytes> bytes;
  const auto got = ::read(fd, bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) return ::close(std::exchange(fd, -1)), false;
  const std::string_view read(bytes.data(), static_cast<std::size_t>(got));
  if (on_words_) on_words_(stream == 1, read);
  words_ += read;
  if (words_.size() > kLastWordsMax) words_.erase(0, words_.size() - kLastWordsMax);
  return true;
}

void Child::take_words() {
  for (std::size_t stream = 0; stream < words_fds_.size(); ++stream)
    for (std::size_t pieces = 0; pieces < kRestBytesMax / kPieceBytes; ++pieces)
      if (!take_words(stream)) break;
}

void Child::signal_end() {
  ::kill(-pid_, SIGTERM);  // It leads the group of its session.
  ::kill(-pid_, SIGCONT);
}

void Child::close_socket() {
  ::shutdown(socket_, SHUT_RDWR);
  is_closed_ = true;
}

std::uint64_t Child::memory_bytes() const {
  std::ifstream file(text("/proc/", pid_, "/statm"));
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return file ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void Child::take_rest() {
  for (std::size_t pieces = 0; pieces < kRestBytesMax / kPieceBytes; ++pieces)
    if (!receive()) break;
  take_words();
}

Child::Death Child::end() {
  // Its socket closes a moment before its process is over.
  for (int ms = 0; is_closed_ && ms < kDyingMs; ++ms) {
    if (ChildProcesses::state_of(pid_) != State::kWell) break;
    ::poll(nullptr, 0, 1);
  }
  const auto state = ChildProcesses::state_of(pid_);
  take_rest();
  const int status = processes_.end(std::exchange(pid_, -1));
  Death death;
  if (state == State::kStopped) {
    death.how = "was stopped";
  } else if (state == State::kWell) {
    if (is_closed_) death.how = "closed its socket";
  } else if (WIFSIGNALED(status)) {
    death.signal = WTERMSIG(status);
    death.how = text("died by signal ", death.signal, " (", ::strsignal(death.signal), ")");
  } else {
    death.how = text("ended without a word, with code ", WEXITSTATUS(status));
  }
  while (!words_.empty() && words_.back() == '\n') words_.pop_back();
  death.words = shown(words_, Keep::kLines);
  return death;
}

}  // namespace eole::worker
