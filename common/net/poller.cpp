#include "common/net/poller.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace eole::net {

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_ < 0) throw std::runtime_error("cannot make an epoll descriptor");
}
Poller::~Poller() { ::close(fd_); }

void Poller::add(int fd, bool& due) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &due;
  if (::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::runtime_error(std::string("cannot watch a descriptor: ") + std::strerror(errno));
}

void Poller::remove(int fd) { ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

bool Poller::wait(std::optional<Duration> timeout) {
  std::array<epoll_event, 64> events{};
  int milliseconds = -1;
  if (timeout) {
    const auto up = std::chrono::ceil<std::chrono::milliseconds>(std::max(*timeout, Duration{}));
    milliseconds = static_cast<int>(std::min<std::int64_t>(up.count(), 60'000));
  }
  const int count = ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < count; ++i)
    *static_cast<bool*>(events[static_cast<std::size_t>(i)].data.ptr) = true;
  return count > 0;
}

}  // namespace eole::net
