#include "gateway/io/peer.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace eole::gateway {

namespace {

// One end of a connection, as sock_diag wants it. False: no such address family.
bool put_end(const sockaddr_storage& end, __be16& port, __be32 (&address)[4]) {
  if (end.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(end);
    port = v4.sin_port;
    address[0] = v4.sin_addr.s_addr;
    return true;
  }
  if (end.ss_family != AF_INET6) return false;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(end);
  port = v6.sin6_port;
  std::memcpy(address, &v6.sin6_addr, sizeof v6.sin6_addr);
  return true;
}

struct Request {
  nlmsghdr head{};
  inet_diag_req_v2 body{};
};

}  // namespace

std::optional<uid_t> user_behind(int connection) {
  sockaddr_storage own{};
  sockaddr_storage other{};
  socklen_t own_size = sizeof own;
  socklen_t other_size = sizeof other;
  if (::getsockname(connection, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      ::getpeername(connection, reinterpret_cast<sockaddr*>(&other), &other_size) != 0)
    return {};
  Request request;
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = static_cast<__u8>(own.ss_family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0U;
  auto& id = request.body.id;  // The socket at the other end: its source is our destination.
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (!put_end(other, id.idiag_sport, id.idiag_src) || !put_end(own, id.idiag_dport, id.idiag_dst))
    return {};
  const int kernel = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (kernel < 0) return {};
  std::optional<uid_t> user;
  std::array<char, 4096> answer{};
  if (::send(kernel, &request, sizeof request, 0) == sizeof request) {
    const auto size = ::recv(kernel, answer.data(), answer.size(), 0);
    const auto* head = reinterpret_cast<const nlmsghdr*>(answer.data());
    constexpr auto kLeast = static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)));
    if (size >= kLeast && head->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
      const auto* told = static_cast<const inet_diag_msg*>(NLMSG_DATA(head));
      // A socket that its process has closed is nobody's, and said to be user 0's.
      if (told->idiag_inode != 0) user = told->idiag_uid;
    }
  }
  ::close(kernel);
  return user;
}

}  // namespace eole::gateway
