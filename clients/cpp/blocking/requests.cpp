#include "clients/cpp/blocking/requests.hpp"

#include <optional>
#include <utility>

namespace eole::client {

namespace {
constexpr Duration kGlanceEvery = 100ms;  // At whoever may stop it.
constexpr Duration kAskAgain = 10s;
}  // namespace

Requests::Requests(net::Context& context, const std::string& endpoint, std::string who)
    : waiting_(context), asks_(waiting_.session(), endpoint, std::move(who)) {}

Expected<protocol::Value> Requests::ask(Question question, Duration patience) {
  std::optional<Expected<protocol::Value>> answer;
  asks_.ask(
      std::move(question), [&](const Expected<protocol::Value>& told) { answer = told; }, patience);
  while (!answer) waiting_.wait(patience);
  return std::move(*answer);
}

Expected<protocol::Value> Requests::query_until(const std::string& what, TaskId id,
                                                const protocol::Value& options,
                                                const std::string& within,
                                                const std::function<bool()>& go_on) {
  const auto payload = options.is_null() ? Bytes{} : options.to_msgpack();
  while (true) {
    std::optional<Expected<protocol::Value>> answer;
    const auto request = asks_.ask(
        protocol::Query{0, what, id.origin, id.seq, payload, within},
        [&](const Expected<protocol::Value>& told) { answer = told; }, kAskAgain);
    while (!answer) {
      if (!go_on()) {
        asks_.forget(request);
        return Error{"stopped"};
      }
      waiting_.wait(kGlanceEvery);
    }
    if (*answer || !answer->error().is_silence()) return std::move(*answer);
  }
}

Expected<protocol::Value> Requests::query(const std::string& what, TaskId id,
                                          const protocol::Value& options, Duration patience) {
  return ask(protocol::Query{0, what, id.origin, id.seq,
                             options.is_null() ? Bytes{} : options.to_msgpack()},
             patience);
}

}  // namespace eole::client
