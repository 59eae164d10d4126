#include "worker/runners/frames/worker_socket.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace eole::frames {

bool WorkerSocket::send(const Frame& frame) {
  const auto bytes = encode(frame);
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto written = ::write(kSocket, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool WorkerSocket::introduce(std::string_view kind) {
  return send(Hello{}) && send(Kind{{std::string(kind)}});
}

bool WorkerSocket::answer(const Frame& frame) {
  const auto* ping = std::get_if<Ping>(&frame);
  return ping == nullptr || send(Pong{ping->number});
}

bool WorkerSocket::receive() {
  std::array<char, 65536> bytes;
  const auto got = ::read(kSocket, bytes.data(), bytes.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  reader_.add({bytes.data(), static_cast<std::size_t>(got)});
  return true;
}

}  // namespace eole::frames
