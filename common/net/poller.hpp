#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/time.hpp"

namespace eole::net {

/// Sleeps until a file descriptor may have input (epoll). Each one has a number of the caller's
/// choice; wait() returns the numbers that fired.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int fd, std::uint64_t number);
  void remove(int fd);
  /// `timeout`: how long at most; nothing: for ever.
  const std::vector<std::uint64_t>& wait(std::optional<Duration> timeout);

 private:
  int fd_;
  std::vector<std::uint64_t> fired_;
};

}  // namespace eole::net
