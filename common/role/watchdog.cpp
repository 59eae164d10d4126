#include "common/role/watchdog.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace eole::role {

namespace {

constexpr Duration kAgain = 100ms;         // Nobody took it: the manager is busy.
constexpr long long kSecondsMax = 86'400;  // Of a watchdog; more is a mistake.

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// sd_notify(3), in the lines of it that we need: a datagram to the socket that was named.
bool send(const std::string& path, std::string_view words) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // One without a file.
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const bool is_sent = ::sendto(fd, words.data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), size) >= 0;
  ::close(fd);
  return is_sent;
}

}  // namespace

Watchdog::Watchdog() {
  const auto path = variable("NOTIFY_SOCKET");
  if (path.size() < sizeof(sockaddr_un::sun_path)) socket_ = path;
  const auto microseconds = std::atoll(variable("WATCHDOG_USEC").c_str());
  if (microseconds > 0 && microseconds <= kSecondsMax * 1'000'000)
    every_ = std::chrono::microseconds(microseconds) / 3;  // One may be late.
}

std::optional<TimePoint> Watchdog::tell(TimePoint now) {
  if (socket_.empty()) return std::nullopt;
  if (now < next_) return next_;
  const bool is_told = send(socket_, is_ready_ ? "WATCHDOG=1" : "READY=1\nWATCHDOG=1");
  is_ready_ = is_ready_ || is_told;
  next_ = now + (is_told ? every_.value_or(kAgain) : kAgain);
  if (is_told && !every_) socket_.clear();
  return socket_.empty() ? std::nullopt : std::optional(next_);
}

}  // namespace eole::role
