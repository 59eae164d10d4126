#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/net/socket.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"

namespace eole::client {

/// Asks one role questions over one connection and waits for the answers. Questions are
/// repeatable: one that stays unanswered is sent again every second. One thread.
class Requests {
 public:
  /// `who`: for error texts, "the ventilator".
  Requests(net::Context& context, const std::string& endpoint, std::string who);

  /// Sends `question` (its request number is set here) and waits for a T.
  /// Errors: refused with the reason, or no answer within `patience`.
  template <class T, class Q>
  Expected<T> ask(Q question, Duration patience = kPatience) {
    question.request = ++last_request_;
    auto answered = exchange(protocol::encode(question), question.request, T::kName, patience);
    if (!answered) return answered.error();
    return protocol::decode<T>(*protocol::HeadReader::parse(answered->head),
                               std::move(answered->payload));
  }
  /// The value that answers a query. `options`: a map, or null.
  Expected<protocol::Value> query(const std::string& what, TaskId id = {},
                                  const protocol::Value& options = {},
                                  Duration patience = kPatience);

  net::Socket& socket() { return socket_; }
  const std::string& who() const { return who_; }

  static constexpr Duration kPatience = 10s;

 private:
  Expected<protocol::Message> exchange(const protocol::Message& question, std::uint64_t request,
                                       std::string_view wanted, Duration patience);
  std::string who_;
  net::Socket socket_;
  std::uint64_t last_request_ = 0;
};

}  // namespace eole::client
