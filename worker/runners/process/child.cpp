#include "worker/runners/process/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
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
                                              ChildProcesses::Program program) {
  int sockets[2] = {-1, -1};
  int words[2] = {-1, -1};
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool is_open = null >= 0 &&
                       ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0 &&
                       ::pipe2(words, O_CLOEXEC) == 0;
  // What it prints has no place of its own: it explains its end.
  program.descriptors = {{null, STDIN_FILENO},
                         {words[1], STDOUT_FILENO},
                         {words[1], STDERR_FILENO},
                         {sockets[1], frames::kSocket}};
  const auto pid = is_open ? processes.start(program)
                           : Expected<pid_t>(Error{text("no descriptors for ", program.path, ": ",
                                                        std::strerror(errno))});
  close_all({null, sockets[1], words[1]});
  if (!pid) return close_all({sockets[0], words[0]}), pid.error();
  ::fcntl(words[0], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<Child>(new Child(processes, *pid, sockets[0], words[0]));
}

Child::~Child() {
  if (pid_ > 0) processes_.end(pid_);
  close_all({socket_, words_fd_});
}

bool Child::wait(int cancel_fd, int milliseconds) {
  const auto wanted = static_cast<short>(outgoing_.empty() ? POLLIN : POLLIN | POLLOUT);
  pollfd due[] = {{socket_, wanted, 0}, {words_fd_, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
  if (::poll(due, std::size(due), milliseconds) <= 0) return false;
  if (due[1].revents != 0) take_words();
  if ((due[0].revents & POLLOUT) != 0) give();
  if ((due[0].revents & ~POLLOUT) != 0) receive();
  return (due[2].revents & POLLIN) != 0;
}

bool Child::is_well() const {
  return !is_closed_ && ChildProcesses::state_of(pid_) == State::kWell;
}

void Child::send(const frames::Frame& frame) {
  outgoing_ += frames::encode(frame);
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

bool Child::take_words() {
  std::array<char, kPieceBytes> bytes;
  const auto got = ::read(words_fd_, bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) return ::close(std::exchange(words_fd_, -1)), false;
  words_.append(bytes.data(), static_cast<std::size_t>(got));
  if (words_.size() > kLastWordsMax) words_.erase(0, words_.size() - kLastWordsMax);
  return true;
}

void Child::take_rest() {
  for (std::size_t pieces = 0; pieces < kRestBytesMax / kPieceBytes; ++pieces)
    if (!receive()) break;
  for (std::size_t pieces = 0; pieces < kRestBytesMax / kPieceBytes; ++pieces)
    if (!take_words()) break;
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
