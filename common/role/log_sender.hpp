#pragma once
#include <cstdint>
#include <optional>

#include "common/net/transport.hpp"

namespace eole::role {

/// Sends what this process logs to the sink, where lines of all are found together. A copy for
/// people: it never waits, and what the sink does not take in time is left out and counted. The
/// loop's thread.
class LogSender {
 public:
  LogSender(net::Transport& transport, const net::ClusterFile& cluster);
  /// Sends what waits, a message at a time; when to call it again, if something still waits.
  std::optional<TimePoint> send();

 private:
  net::Transport& transport_;
  net::Socket sink_;
  TimePoint next_{};
  std::uint64_t dropped_ = 0;  // That nobody was told of.
};

}  // namespace eole::role
