#include "clients/cpp/blocking/waiting.hpp"

#include <algorithm>

namespace eole::client {

void Waiting::wait(Duration at_most) {
  if (const auto next = session_.next_turn()) at_most = std::min(at_most, *next - now());
  poller_.wait(std::max(at_most, Duration{}));
  session_.turn();
}

}  // namespace eole::client
