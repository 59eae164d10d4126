#pragma once
#include <optional>

#include "common/base/time.hpp"

namespace eole::net {

/// Sleeps until a file descriptor may have input (epoll), and says of which.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// `due` becomes true when `fd` may have input; the caller makes it false again.
  void add(int fd, bool& due);
  void remove(int fd);
  /// `timeout`: how long at most; nothing: for ever. False if nothing came.
  bool wait(std::optional<Duration> timeout);
  /// Readable when wait() would not sleep: for a loop that waits for more than this.
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace eole::net
