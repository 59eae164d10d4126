#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/http/websocket.hpp"
#include "gateway/io/exchange.hpp"

namespace eole::gateway {

/// A connection that speaks WebSocket, from its handshake to its end.
class WebSocket {
 public:
  /// `most`: the largest message from the client, in bytes.
  WebSocket(Exchange& exchange, asio::any_io_executor executor, std::size_t most);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// One of `protocols` is spoken, if there are any and the client names one; which. Throws Problem
  /// 400 or 426: then nothing was sent.
  awaitable<std::string> accept(std::vector<std::string_view> protocols);
  /// Until one side ends it: what the client says goes to `on_text`, and what `next` returns goes
  /// to it, frames as they are. If that is null `next` is called again after wake().
  using Next = std::function<awaitable<Shared>()>;
  awaitable<void> serve(std::function<void(std::string_view)> on_text, Next next);
  /// From the client's next message on.
  void take_up_to(std::size_t most);
  void wake();
  /// Behind what was said before.
  void close(http::CloseCode code, std::string_view reason);

 private:
  struct State;
  std::shared_ptr<State> state_;  // Its reader ends after it.
};

}  // namespace eole::gateway
