#include "gateway/io/websocket.hpp"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "common/base/text.hpp"
#include "gateway/core/http/letters.hpp"

namespace eole::gateway {

using http::CloseCode;
using http::Opcode;

namespace {

constexpr std::size_t kPongsMax = 64;  // That wait to be sent; further pings go unanswered.

// The members of a field that is a list, without case.
bool lists(std::string_view field, std::string_view word) {
  while (!field.empty()) {
    const auto part = field.substr(0, field.find(','));
    field.remove_prefix(std::min(part.size() + 1, field.size()));
    if (http::lower(http::trimmed(part)) == http::lower(word)) return true;
  }
  return false;
}

http::Problem not_asked(std::string detail) {
  http::Problem problem(426, std::move(detail));
  problem.fields = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  return problem;
}

}  // namespace

struct WebSocket::State {
  State(Exchange& of, const asio::any_io_executor& executor, std::size_t most)
      : exchange(of), reader(most), woken(executor) {}
  awaitable<void> read(std::shared_ptr<State> self);
  awaitable<void> wait();
  awaitable<bool> write(std::string_view bytes);
  void take(http::FrameReader::Event event);
  void wake() {
    is_woken = true;
    woken.cancel();
  }

  Exchange& exchange;
  http::FrameReader reader;
  std::string unread;
  std::function<void(std::string_view)> on_text;
  std::string control;  // Pongs that are to be sent.
  std::size_t pongs = 0;
  std::string closing;  // The close frame, once it is to end.
  bool is_reading = false;
  bool is_woken = false;
  asio::steady_timer woken;
};

WebSocket::WebSocket(Exchange& exchange, asio::any_io_executor executor, std::size_t most)
    : state_(std::make_shared<State>(exchange, executor, most)) {}
WebSocket::~WebSocket() = default;

awaitable<std::string> WebSocket::accept(std::vector<std::string_view> protocols) {
  auto& exchange = state_->exchange;
  const auto& request = exchange.request;
  if (!lists(request.field("upgrade"), "websocket") ||
      !lists(request.field("connection"), "upgrade"))
    throw not_asked(text(request.target, ": speaks WebSocket: Upgrade: websocket is wanted"));
  if (request.field("sec-websocket-version") != "13")
    throw not_asked("Sec-WebSocket-Version: the only one is 13");
  const auto key = request.field("sec-websocket-key");
  if (!http::is_key(key)) throw http::Problem(400, "Sec-WebSocket-Key: 16 bytes in base64");
  http::Response head{101,
                      {{"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Accept", http::accept_key(key)}}};
  std::string spoken;
  for (const auto protocol : protocols)
    if (spoken.empty() && lists(request.field("sec-websocket-protocol"), protocol))
      spoken = protocol;
  if (!protocols.empty() && spoken.empty())
    throw http::Problem(400, text("Sec-WebSocket-Protocol: what is spoken here is ", protocols[0]));
  if (!spoken.empty()) head.fields.push_back({"Sec-WebSocket-Protocol", spoken});
  co_await exchange.upgrade(std::move(head), state_->unread);
  co_return spoken;
}

void WebSocket::take_up_to(std::size_t most) { state_->reader.take_up_to(most); }

void WebSocket::wake() { state_->wake(); }

void WebSocket::close(CloseCode code, std::string_view reason) {
  if (state_->closing.empty()) state_->closing = http::encode_close(code, reason);
  state_->wake();
}

awaitable<void> WebSocket::serve(std::function<void(std::string_view)> on_text, Next next) {
  auto state = state_;
  state->on_text = std::move(on_text);
  state->is_reading = true;
  const auto executor = co_await asio::this_coro::executor;
  asio::co_spawn(executor, state->read(state), asio::detached);
  while (state->closing.empty() && state->is_reading) {
    const auto control = std::exchange(state->control, {});
    state->pongs = 0;
    if (!control.empty()) {
      const bool is_written = co_await state->write(control);
      if (!is_written) break;
    }
    const auto bytes = co_await next();
    if (!bytes) {
      co_await state->wait();
    } else {
      const bool is_written = co_await state->write(*bytes);
      if (!is_written) break;
    }
  }
  if (!state->closing.empty()) co_await state->write(state->closing);
  state->exchange.stream().close();
  while (state->is_reading) co_await state->wait();
}

awaitable<void> WebSocket::State::wait() {
  boost::system::error_code ignored;
  if (!std::exchange(is_woken, false)) {
    woken.expires_at(asio::steady_timer::time_point::max());
    co_await woken.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    is_woken = false;
  }
}

// False: the client has gone, or took nothing for kWriteTime; it comes back and resumes.
awaitable<bool> WebSocket::State::write(std::string_view bytes) {
  try {
    co_await exchange.write(bytes);
  } catch (const Gone&) {
    co_return false;
  }
  co_return true;
}

awaitable<void> WebSocket::State::read(std::shared_ptr<State> self) {
  constexpr std::size_t kBytes = 16 << 10;
  auto bytes = std::exchange(unread, {});
  while (true) {
    reader.add(bytes);
    while (auto event = reader.next()) take(std::move(*event));
    if (reader.is_over() || !closing.empty()) break;
    bytes = co_await exchange.stream().read(kBytes);
    if (bytes.empty()) break;
  }
  self->is_reading = false;
  self->wake();
}

void WebSocket::State::take(http::FrameReader::Event event) {
  switch (event.opcode) {
    case Opcode::kText:
      return on_text(event.bytes);
    case Opcode::kPing:
      if (++pongs > kPongsMax) return;
      control += http::encode_frame(Opcode::kPong, event.bytes);
      return wake();
    case Opcode::kClose:
      if (closing.empty())
        closing = event.is_broken ? http::encode_close(event.code, event.bytes)
                                  : http::encode_close(event.code);
      return wake();
    case Opcode::kBinary:
      if (closing.empty())
        closing = http::encode_close(CloseCode::kNotTaken, "text is spoken here: JSON");
      return wake();
    default:
      return;
  }
}

}  // namespace eole::gateway
