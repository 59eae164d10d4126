#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/submits.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::client {

/// Submits many tasks and waits where it must: what waits travels together, several messages are
/// under way at once. One thread.
class Submitter {
 public:
  struct Options {
    std::string key = {};        // The whole submission's; only one message then.
    std::string keys = {};       // Or with its number behind it each message's.
    std::uint32_t batch = 1024;  // Tasks in a message, at most.
    Duration patience = Submits::kPatience;
  };
  /// `on_accepted` hears the ids of each message, in the order of the tasks.
  using OnAccepted = std::function<void(Origin origin, Seq first, std::uint32_t count)>;

  Submitter(net::Context& context, const net::ClusterFile& cluster, Options options,
            OnAccepted on_accepted);

  /// Errors: an earlier message was refused, or no answer came. Nothing more is sent then, and
  /// what was under way has been told.
  Expected<void> add(const protocol::TaskClass& task_class, std::string_view args,
                     std::string_view conditions = {}, std::string_view trace = {});
  /// Sends what waits unless a task of so many bytes fits in its message: then the next one does.
  Expected<void> make_room(std::size_t bytes);
  /// Returns once something has happened to what was sent, or after a second.
  Expected<void> wait();
  /// So many tasks wait for a message to be full.
  std::uint32_t open() const { return open_.count(); }
  /// Sends what waits and returns once all is accepted.
  Expected<void> finish();

 private:
  Expected<void> send();
  Expected<void> wait_until_idle();
  void take(const SubmitEnded& ended);

  Options options_;
  OnAccepted on_accepted_;
  Waiting waiting_;
  Submits submits_;
  protocol::TaskGroups open_;
  std::uint64_t sent_ = 0;
  std::size_t last_bytes_ = 0;  // Of the message before: as much room for the next.
  std::uint64_t first_ = 1;     // The first request that was not told.
  std::deque<std::optional<SubmitEnded>> ended_;  // From it on.
  std::optional<Error> error_;                    // The first.
};

}  // namespace eole::client
