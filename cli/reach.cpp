#include "cli/reach.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/net/ipc_place.hpp"

namespace eole::cli {

namespace {
constexpr int kConnectMs = 2000;
}

std::string unreached(const std::string& endpoint) {
  const auto rest = endpoint.substr(endpoint.find("://") + 3);
  if (endpoint.starts_with("ipc://"))
    return net::is_listened_at(rest) ? "" : "nobody listens there";
  const auto colon = rest.rfind(':');
  auto host = rest.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (colon == std::string::npos ||
      ::getaddrinfo(host.c_str(), rest.substr(colon + 1).c_str(), &hints, &found) != 0)
    return "is no address";
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error = ::connect(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  ::freeaddrinfo(found);
  pollfd watch{fd, POLLOUT, 0};
  socklen_t size = sizeof error;
  if (error == EINPROGRESS && ::poll(&watch, 1, kConnectMs) == 0)
    error = ETIMEDOUT;
  else if (error == EINPROGRESS)
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  ::close(fd);
  return error == 0 ? "" : std::strerror(error);
}

}  // namespace eole::cli
