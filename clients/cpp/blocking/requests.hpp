#pragma once
#include <functional>
#include <string>

#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/asks.hpp"

namespace eole::client {

/// Asks one role questions, one after the other, and waits for the answers. One thread.
class Requests {
 public:
  static constexpr Duration kPatience = 10s;

  /// `who`: for error texts, "the ventilator".
  Requests(net::Context& context, const std::string& endpoint, std::string who);

  /// Errors: refused with the reason, or no answer within `patience`.
  Expected<protocol::Value> ask(Question question, Duration patience = kPatience);
  /// `options`: a map, or null.
  Expected<protocol::Value> query(const std::string& what, TaskId id = {},
                                  const protocol::Value& options = {},
                                  Duration patience = kPatience);
  /// Asks until there is an answer, however long that takes; `go_on` is asked all the while.
  /// `within`: of no other projects; empty: of any.
  Expected<protocol::Value> query_until(const std::string& what, TaskId id,
                                        const protocol::Value& options, const std::string& within,
                                        const std::function<bool()>& go_on);

 private:
  Waiting waiting_;
  Asks asks_;
};

}  // namespace eole::client
