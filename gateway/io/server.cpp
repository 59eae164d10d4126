#include "gateway/io/server.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <random>
#include <stdexcept>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/net/socket.hpp"
#include "common/net/tokens.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "gateway/core/http/reader.hpp"
#include "gateway/io/peer.hpp"
#include "gateway/io/stream.hpp"

namespace eole::gateway {

using asio::ip::tcp;
using boost::system::error_code;
using process::now;

namespace {

constexpr auto kLook = std::chrono::seconds(1);  // How often slow ones are looked for.
constexpr Duration kLingerTime = 2s;  // For what the other side still sends after an answer.
constexpr std::size_t kOthersMax = 64;  // Connections of other users that are being refused.
constexpr std::uint64_t kFailuresLoggedMax = 10;   // A second; all are counted in the metrics.
constexpr std::size_t kTargetLoggedMax = 256;      // Bytes of a request's target.
constexpr std::size_t kUnreadBodyMax = 256 << 10;  // Of a body that nobody wanted: read over.

}  // namespace

struct Server::State {
  State(asio::io_context& in, Serve serves)
      : loop(in), serve(std::move(serves)), acceptor(in), timer(in) {}
  awaitable<void> accept(std::shared_ptr<State> self);
  awaitable<void> look(std::shared_ptr<State> self);

  asio::io_context& loop;
  Serve serve;
  Door door;
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  std::set<Connection*> connections;
  std::map<std::string, std::size_t> of_address;  // How many of them.
  std::size_t of_others = 0;  // Connections of other users, which are only told so.
  Answered answered;
  // Names requests. Bits of the kernel would cost each of them a call.
  std::mt19937_64 request_ids{process::random_u64()};
  std::uint64_t failures_logged = 0;  // Since the last look.
  bool is_stopping = false;
};

class Server::Connection final : public Exchange {
 public:
  Connection(std::shared_ptr<State> server, std::unique_ptr<Stream> stream, std::string from)
      : server_(std::move(server)), stream_(std::move(stream)) {
    address = std::move(from);
    server_->connections.insert(this);
    ++server_->of_address[address];
  }
  ~Connection() override {
    server_->connections.erase(this);
    const auto others = server_->of_address.find(address);
    if (--others->second == 0) server_->of_address.erase(others);
  }

  /// What listens on a port of this machine is open to all its users, as a directory is not.
  awaitable<void> refuse(std::optional<uid_t> user) {
    const http::Problem problem(
        403, user ? text("this connection is user ", *user, "'s; only user ", ::geteuid(), " is served")
                  : "the kernel does not tell whose connection this is");
    const bool is_open = co_await open();
    if (!is_open) co_return;
    keeps_ = false;
    begin_request();
    auto answer = refusal(problem);
    const bool is_sent = co_await send(std::move(answer));
    if (is_sent) co_await linger(true);
    stream_->close();
  }

  awaitable<void> serve() {
    bool goes_on = co_await open();
    if (!goes_on) co_return;
    while (goes_on && !server_->is_stopping) {
      std::optional<http::Response> answer;
      bool is_asked = false;
      try {
        const bool has_come = co_await read_head();
        if (!has_come) break;
        is_asked = true;
        answer = co_await server_->serve(*this);
      } catch (const http::Problem& problem) {
        answer = refusal(problem);
      } catch (const Gone&) {
        break;
      } catch (const std::exception& error) {
        if (may_log()) process::log_error(text(told_as(), error.what()));
        answer = http::to_response({500, "the gateway failed; its log says why"}, request_id);
      }
      if (is_upgraded_) break;
      goes_on = is_asked && request.keeps_alive && !server_->is_stopping;
      // A body that nobody read is read over, or the connection ends behind the answer.
      goes_on = goes_on && (reader_.is_done() || may_skip());
      if (answer && !is_answering_) {
        keeps_ = goes_on;
        const bool is_sent = co_await send(std::move(*answer));
        if (!is_sent) break;
      } else if (answer || (is_answering_ && !is_ended_)) {
        break;  // It failed in the middle of its answer: cut off, so that nobody takes it for
                // whole.
      }
      goes_on = goes_on && keeps_;
      if (goes_on) goes_on = co_await skip_body();
      if (goes_on) reader_.next_request();
      is_answering_ = is_ended_ = is_chunked_ = false;
    }
    if (!is_upgraded_) co_await linger();
    stream_->close();
  }

  awaitable<std::string> read() override {
    if (request.expects_continue && !is_answering_) {
      request.expects_continue = false;
      if (!reader_.is_done() && input_.empty()) co_await put("HTTP/1.1 100 Continue\r\n\r\n");
    }
    while (true) {
      auto body = reader_.take_body();
      if (!body.empty()) {
        body_bytes_ += body.size();
        co_return body;
      }
      if (reader_.is_done()) co_return std::string();
      const auto since = now();
      const bool came = co_await read_more(body_deadline());
      body_waited_ += now() - since;
      if (!came)
        throw http::Problem(is_late_ ? 408 : 400,
                            is_late_ ? "the body comes too slowly" : "the body broke off");
    }
  }

  awaitable<void> begin(http::Response head, std::optional<std::uint64_t> length) override {
    complete(head);
    is_answering_ = true;
    is_chunked_ = !length && request.knows_chunks;
    keeps_ = request.keeps_alive && !server_->is_stopping && (reader_.is_done() || may_skip());
    co_await put(http::encode_head(head, length, keeps_, request.knows_chunks));
  }
  awaitable<void> write(std::string_view piece) override {
    if (piece.empty() || request.method == "HEAD") co_return;
    if (!is_chunked_) {
      co_await put(piece);
      co_return;
    }
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    const auto chunk = text(size.data(), piece, "\r\n");
    co_await put(chunk);
  }
  awaitable<void> end() override {
    if (is_chunked_ && request.method != "HEAD") co_await put("0\r\n\r\n");
    is_ended_ = true;
  }
  awaitable<void> upgrade(http::Response head, std::string& unread) override {
    complete(head);
    is_upgraded_ = true;
    unread = std::move(input_);
    set_deadline(std::nullopt);
    co_await put(http::encode_head(head, 0, true));
    set_deadline(std::nullopt);
  }
  http::Response refusal(const http::Problem& problem) override {
    const bool is_ours = problem.status >= 500 && !request.method.empty();
    if (is_ours && may_log())
      process::log_warning(text(told_as(), problem.status, " ", problem.detail));
    return http::to_response(problem, request_id);
  }
  Stream& stream() override { return *stream_; }

  /// Ends it if it is over its time.
  void look(TimePoint at, bool is_stopping) {
    if (is_stopping && is_between_) return stream_->close();
    const auto& is_still_let_in = server_->door.is_still_let_in;
    if (is_still_let_in && !is_still_let_in(caller)) return stream_->close();
    if (!deadline_ || at < *deadline_) return;
    deadline_.reset();
    is_late_ = true;
    is_writing_ ? stream_->close() : stream_->cancel();
  }

 private:
  awaitable<bool> open() {
    set_deadline(now() + kHeadTime);
    const bool is_open = co_await stream_->open();
    set_deadline(std::nullopt);
    if (!is_open) stream_->close();
    co_return is_open;
  }
  void set_deadline(std::optional<TimePoint> deadline) { deadline_ = deadline; }
  // By the time that was spent on waiting for it: a handler that reads slowly is not its client.
  TimePoint body_deadline() const {
    return now() + kBodyTime - body_waited_ + std::chrono::seconds(body_bytes_ / kBodyPaceMin);
  }
  bool may_skip() const { return request.length && *request.length <= kUnreadBodyMax; }

  // More of the input, and what it makes; false: there is none.
  awaitable<bool> read_more(std::optional<TimePoint> deadline) {
    if (!feed()) {
      set_deadline(deadline);
      const auto bytes = co_await stream_->read(kPieceBytes);
      set_deadline(std::nullopt);
      if (bytes.empty()) co_return false;
      input_ += bytes;
      feed();
    }
    co_return true;
  }
  // Whether the reader could take any.
  bool feed() {
    if (input_.empty()) return false;
    const auto taken = reader_.feed(input_);
    input_.erase(0, taken);
    return taken > 0;
  }

  // What has no head yet is of no route, and is no part of the request before it.
  void begin_request() {
    request_id = hex(server_->request_ids());
    request = {};
    route = nullptr;
    common.clear();
  }

  awaitable<bool> read_head() {
    begin_request();
    std::optional<TimePoint> begun;
    while (!reader_.has_head()) {
      is_between_ = input_.empty() && !reader_.is_begun();
      if (!is_between_ && !begun) begun = now();
      const bool came = co_await read_more(begun ? *begun + kHeadTime : now() + kIdleTime);
      is_between_ = false;
      if (came) continue;
      if (is_late_ && begun) throw http::Problem(408, "the head comes too slowly");
      co_return false;
    }
    request = reader_.take_head();
    caller = {};
    body_waited_ = {};
    body_bytes_ = 0;
    co_return true;
  }

  awaitable<bool> skip_body() {
    std::size_t skipped = 0;
    const auto deadline = now() + kBodyTime;
    while (!reader_.is_done()) {
      skipped += reader_.take_body().size();
      if (skipped > kUnreadBodyMax) co_return false;
      const bool came = co_await read_more(deadline);
      if (!came) co_return false;
    }
    reader_.take_body();
    co_return true;
  }

  bool may_log() const { return server_->failures_logged++ < kFailuresLoggedMax; }
  // In front of what is logged about it.
  std::string told_as() const {
    const auto path = request.target.substr(0, kTargetLoggedMax);
    return text("request ", request_id, ": ", request.method, " ", path, ": ");
  }
  void complete(http::Response& head) {
    ++server_->answered[{route, head.status}];
    head.fields.push_back({"X-Request-Id", request_id});
    head.fields.insert(head.fields.end(), common.begin(), common.end());
  }

  awaitable<bool> send(http::Response answer) {
    complete(answer);
    auto bytes = http::encode_head(answer, answer.body.size(), keeps_);
    if (request.method != "HEAD") bytes += answer.body;
    co_return co_await write_in_time(bytes);
  }
  awaitable<void> put(std::string_view bytes) {
    const bool is_sent = co_await write_in_time(bytes);
    if (!is_sent) throw Gone();
  }
  awaitable<bool> write_in_time(std::string_view bytes) {
    is_writing_ = true;
    bool is_sent = true;
    while (is_sent && !bytes.empty()) {  // Each piece has its time: slow is not dead.
      set_deadline(now() + kWriteTime);
      is_sent = co_await stream_->write(bytes.substr(0, kPieceBytes));
      bytes.remove_prefix(std::min(bytes.size(), kPieceBytes));
    }
    set_deadline(std::nullopt);
    is_writing_ = false;
    co_return is_sent;
  }
  // Closing with unread input would reset the connection, and the answer might be lost with it.
  awaitable<void> linger(bool is_certain = false) {
    is_late_ = false;
    const auto until = now() + kLingerTime;
    const bool is_unread =
        is_certain || !input_.empty() || (!reader_.is_done() && reader_.is_begun());
    if (!is_unread && !server_->door.tls) co_return;
    set_deadline(until);
    co_await stream_->end_writing();
    set_deadline(std::nullopt);
    if (!is_unread) co_return;
    input_.clear();
    while (now() < until) {
      set_deadline(until);
      const auto bytes = co_await stream_->read(kPieceBytes);
      if (bytes.empty()) break;
    }
  }

  std::shared_ptr<State> server_;
  std::unique_ptr<Stream> stream_;
  http::RequestReader reader_;
  std::string input_;
  std::optional<TimePoint> deadline_;
  Duration body_waited_{};
  std::size_t body_bytes_ = 0;
  bool is_between_ = true;  // Two requests.
  bool is_late_ = false;
  bool is_writing_ = false;
  bool is_answering_ = false;  // begin() was called …
  bool is_chunked_ = false;
  bool is_ended_ = false;  // … and end().
  bool is_upgraded_ = false;
  bool keeps_ = true;
};

awaitable<void> Server::State::accept(std::shared_ptr<State> self) {
  while (!is_stopping) {
    error_code ec;
    tcp::socket socket(loop);
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, ec));
    if (is_stopping) break;
    if (ec) {  // No descriptor is left: the next one may be, in a moment.
      asio::steady_timer pause(loop, std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
      continue;
    }
    if (connections.size() >= kConnectionsMax) continue;  // Closed: told by that.
    const auto from = socket.remote_endpoint(ec).address().to_string();
    const auto others = of_address.find(from);
    const bool is_share_taken =
        others != of_address.end() && others->second >= kConnectionsOfAddressMax;
    if (is_share_taken && !net::is_local(from)) continue;
    std::optional<uid_t> user;
    if (!door.is_open) user = user_behind(socket.native_handle());
    const bool is_ours = door.is_open || user == ::geteuid() || user == uid_t{0};
    if (!is_ours && of_others >= kOthersMax) continue;
    of_others += !is_ours;
    auto stream = door.tls ? door.tls->stream(std::move(socket)) : clear_stream(std::move(socket));
    auto connection = std::make_shared<Connection>(self, std::move(stream), from);
    asio::co_spawn(
        loop,
        [=]() { return is_ours ? connection->serve() : connection->refuse(user); },
        [=](const std::exception_ptr&) { self->of_others -= !is_ours; });
  }
}

awaitable<void> Server::State::look(std::shared_ptr<State> /*itself*/) {
  while (!is_stopping || !connections.empty()) {
    error_code ec;
    timer.expires_after(kLook);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    failures_logged = 0;
    for (auto* connection : connections) connection->look(process::now(), is_stopping);
  }
}

Server::Server(asio::io_context& loop, Serve serve)
    : state_(std::make_shared<State>(loop, std::move(serve))) {}
Server::~Server() = default;

void Server::listen(const std::string& written, Door door) {
  const auto colon = written.rfind(':');
  auto host = written.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  const auto port = colon == std::string::npos ? std::string() : written.substr(colon + 1);
  if (ec || port.empty() || port.find_first_not_of("0123456789") != std::string::npos ||
      port.size() > 5 || std::stoul(port) > 65535)
    throw std::runtime_error(
        text("--http ", written, ": wanted is ADDRESS:PORT, as 127.0.0.1:8080"));
  if (!address.is_loopback() && !(door.tls && door.is_open))
    throw std::runtime_error(text("--http ", written, ": beyond this machine there is only TLS"));
  state_->door = std::move(door);
  const tcp::endpoint endpoint(address, static_cast<std::uint16_t>(std::stoul(port)));
  auto& acceptor = state_->acceptor;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  // Else asio would wait for another one: accept() in own_files.cpp.
  if (!ec) acceptor.set_option(asio::socket_base::enable_connection_aborted(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) throw net::CannotBind(text("cannot listen on ", written, ": ", ec.message()));
  const auto found = acceptor.local_endpoint();
  address_ = found.address().is_v6() ? text("[", found.address().to_string(), "]:", found.port())
                                     : text(found.address().to_string(), ":", found.port());
  auto state = state_;
  asio::co_spawn(
      state->loop, [state]() { return state->accept(state); }, asio::detached);
  asio::co_spawn(
      state->loop, [state]() { return state->look(state); }, asio::detached);
}

std::size_t Server::connections() const { return state_->connections.size(); }
const Server::Answered& Server::answered() const { return state_->answered; }

void Server::stop() {
  state_->is_stopping = true;
  error_code ignored;
  state_->acceptor.close(ignored);
  state_->timer.cancel();
}

bool Server::is_idle() const { return state_->connections.empty(); }

}  // namespace eole::gateway
