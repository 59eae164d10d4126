#include "clients/cpp/blocking/requests.hpp"

#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::client {

namespace {
constexpr Duration kRepeat = 1s;
}

Requests::Requests(net::Context& context, const std::string& endpoint, std::string who)
    : who_(std::move(who)), socket_(context, net::SocketType::kDealer) {
  socket_.connect(endpoint);
}

Expected<protocol::Message> Requests::exchange(const protocol::Message& question,
                                               std::uint64_t request, std::string_view wanted,
                                               Duration patience) {
  const auto until = process::now() + patience;
  auto repeat_at = process::now();
  while (true) {
    const auto now = process::now();
    if (now >= until)
      return Error{text("no answer from ", who_, " within ", patience.count() / 1'000'000'000,
                        " s: is it running, and may this key connect?"),
                   true};
    if (now >= repeat_at) {
      socket_.send(question);
      repeat_at = now + kRepeat;
    }
    const auto left = std::min(until, repeat_at) - now;
    socket_.wait(static_cast<int>(left / 1ms) + 1);
    while (auto received = socket_.receive()) {
      auto head = protocol::HeadReader::parse(received->message.head);
      if (!head) continue;
      auto peek = *head;
      const auto answered = peek.next_number();  // Every answer starts with its request.
      if (head->name() == protocol::Refused::kName && (answered == request || answered == 0))
        return Error{text(who_, ": ", peek.next_text())};
      if (answered == request && head->name() == wanted) return std::move(received->message);
    }
  }
}

Expected<protocol::Value> Requests::query(const std::string& what, TaskId id,
                                          const protocol::Value& options, Duration patience) {
  auto payload = options.is_null() ? Bytes{} : options.to_msgpack();
  auto answer = ask<protocol::Answer>(
      protocol::Query{0, what, id.origin, id.seq, std::move(payload)}, patience);
  if (!answer) return answer.error();
  return protocol::Value::from_msgpack(answer->payload);
}

}  // namespace eole::client
