#include "bench/peers/tcp.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peers/peer.hpp"

namespace eole::peers {

Tcp::Tcp(std::string server, std::uint16_t port)
    : server_(std::move(server)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail(server_ + ": cannot connect");
}

Tcp::~Tcp() { ::close(fd_); }

void Tcp::flush() {
  for (std::string_view rest = out_; !rest.empty();) {
    const auto sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) fail(server_ + ": connection ended");
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  out_.clear();
}

void Tcp::fill() {
  flush();
  char buffer[65536];
  const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
  if (got <= 0) fail(server_ + ": connection ended");
  in_.erase(0, at_);
  at_ = 0;
  in_.append(buffer, static_cast<std::size_t>(got));
}

std::string Tcp::take(std::size_t size) {
  auto bytes = in_.substr(at_, size);
  at_ += size;
  return bytes;
}

std::string Tcp::read_bytes(std::size_t size) {
  while (in_.size() - at_ < size) fill();
  return take(size);
}

std::string Tcp::read_line() {
  std::size_t end = 0;
  while ((end = in_.find("\r\n", at_)) == std::string::npos) fill();
  auto line = take(end - at_);
  at_ += 2;
  return line;
}

}  // namespace eole::peers
