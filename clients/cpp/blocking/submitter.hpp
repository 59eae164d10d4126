#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "clients/cpp/blocking/requests.hpp"
#include "clients/cpp/core/window.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

/// Submits many tasks: what waits travels together, several messages are under way at once, and
/// one that stays unanswered is repeated under its number, so that no task is accepted twice: after
/// a while, and at once when the connection stands again that had broken.
class Submitter {
 public:
  struct Options {
    std::string key;                // The whole submission's; only one message then.
    std::uint8_t attempts_max = 0;  // Zero: the ventilator's default.
    std::uint32_t batch = 1024;     // Tasks in a message, at most.
    Duration patience = 30s;        // Without any answer.
  };
  /// `on_accepted` hears the ids of each message, in the order of the tasks.
  using OnAccepted = std::function<void(Origin origin, Seq first, std::uint32_t count)>;

  Submitter(net::Context& context, const net::ClusterFile& cluster, Options options,
            OnAccepted on_accepted);

  /// For the tasks added from now on; zero: the ventilator's default.
  Expected<void> set_attempts_max(std::uint8_t attempts_max);
  /// Errors: an earlier message was refused, or no answer came.
  Expected<void> add(const protocol::TaskSpec& spec);
  /// Sends what waits and returns once all is accepted.
  Expected<void> finish();

 private:
  struct Flight {
    std::uint64_t request = 0;
    Bytes head;
    std::shared_ptr<const Bytes> payload;  // Sent again if it stays unanswered.
    TimePoint sent{};
    bool is_accepted = false;
    protocol::Acceptance accepted;
  };
  Expected<void> send();
  Expected<void> collect(std::size_t messages_max, std::size_t bytes_max);
  Expected<void> take(net::Received received);
  bool has_reconnected();

  Options options_;
  OnAccepted on_accepted_;
  net::Socket socket_;
  net::Monitor monitor_;
  bool is_broken_ = false;  // The connection, as far as the monitor has told.
  RunId run_;
  std::uint64_t next_request_ = 1;
  protocol::Submit open_;
  std::size_t last_bytes_ = 0;  // Of the message before: as much room for the next.
  std::deque<Flight> flights_;
  std::size_t flying_bytes_ = 0;
  Window window_;
};

}  // namespace eole::client
