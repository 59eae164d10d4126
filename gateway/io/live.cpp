#include "gateway/io/live.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>

#include "common/base/text.hpp"
#include "gateway/io/feed.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/places.hpp"
#include "gateway/io/wamp.hpp"
#include "gateway/io/websocket.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;
using protocol::Value;

namespace {

constexpr std::size_t kListenersMax = 4096;
constexpr std::size_t kSaidBytesMax = 4096;  // Of a message from who listens.

TopicPattern pattern_of(const std::string& written) {
  auto pattern = TopicPattern::parse(written);
  if (!pattern) throw Problem(400, pattern.error().message);
  return std::move(*pattern);
}

std::uint64_t offset_of(std::string_view name, std::string_view written) {
  std::uint64_t offset = 0;
  const auto end = written.data() + written.size();
  const auto read = std::from_chars(written.data(), end, offset);
  if (read.ec != std::errc() || read.ptr != end || offset > INT64_MAX)
    throw Problem(400, text(name, ": ", written, ": an offset of the log, or latest"));
  return offset;
}

class Live {
 public:
  explicit Live(Gateway& gateway) : gateway_(gateway), feed_(gateway.fabric()) {}
  Feed& feed() { return feed_; }

  awaitable<std::optional<Response>> notifications(Exchange& exchange) {
    const auto place = co_await take_place(owner_of(exchange.caller));
    const auto pattern = topic(exchange.request);
    const auto from = first(exchange.request);
    const Feed::Hearing hearing(feed_);
    co_await feed_.until_started();
    WebSocket socket(exchange, co_await asio::this_coro::executor, kSaidBytesMax);
    const std::vector<std::string_view> protocols;
    co_await socket.accept(protocols);
    Follower follower(feed_, gateway_.ring(exchange), Format::kWebSocket, pattern, from,
                      [&socket]() { socket.wake(); });
    const auto end = gateway_.on_stop(
        [&socket]() { socket.close(http::CloseCode::kGoingAway, "the gateway ends"); });
    Watched watched;
    const auto hear = [&](std::string_view said) {
      if (const auto error = change(follower, watched, said)) follower.refuse(*error);
      socket.wake();
    };
    const auto ring = gateway_.ring(exchange);
    co_await socket.serve(hear, [&]() { return next(follower, watched, ring); });
    co_return std::nullopt;
  }

  awaitable<std::optional<Response>> events(Exchange& exchange) {
    const auto place = co_await take_place(owner_of(exchange.caller));
    const auto pattern = topic(exchange.request);
    const auto from = first(exchange.request);
    const Feed::Hearing hearing(feed_);
    co_await feed_.until_started();
    Response head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
    co_await exchange.begin(std::move(head), std::nullopt);
    if (exchange.request.method == "HEAD") {
      co_await exchange.end();
      co_return std::nullopt;
    }
    asio::steady_timer woken(co_await asio::this_coro::executor);
    bool is_over = false;
    bool is_woken = false;  // Also while it makes or writes what is next.
    const auto wake = [&]() {
      is_woken = true;
      woken.cancel();
    };
    Follower follower(feed_, gateway_.ring(exchange), Format::kServerSent, pattern, from, wake);
    const auto end = gateway_.on_stop([&]() {
      is_over = true;
      wake();
    });
    co_await exchange.write("retry: 1000\n\n");
    while (!is_over) {
      is_woken = false;
      const auto bytes = co_await follower.next();
      if (bytes) {
        co_await exchange.write(*bytes);
        continue;
      }
      if (is_woken) continue;
      boost::system::error_code ignored;
      woken.expires_at(asio::steady_timer::time_point::max());
      co_await woken.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await exchange.end();
    co_return std::nullopt;
  }

 private:
  awaitable<Places::Place> take_place(std::string owner) {
    if (!places_.has_free(owner)) {
      Problem problem(503, text(kListenersMax, " listen already: the limit"));
      problem.fields.push_back({"Retry-After", "10"});
      throw problem;
    }
    auto place = co_await places_.take(std::move(owner));
    co_return place;
  }
  static TopicPattern topic(const http::Request& request) {
    return pattern_of(request.option("topic").value_or("#"));
  }
  static std::optional<std::uint64_t> first(const http::Request& request) {
    const auto last = request.field("last-event-id");
    if (!last.empty()) return offset_of("Last-Event-ID", last) + 1;
    const auto from = request.option("from").value_or("latest");
    return from == "latest" ? std::nullopt : std::optional(offset_of("from", from));
  }
  /// The task of which somebody hears how far it is.
  struct Watched {
    std::optional<Fabric::Watch> watch;
    std::optional<TaskId> wanted;  // Whose it is has not been asked yet.
  };
  // What is told of a running task does not say whose it is.
  awaitable<Shared> next(Follower& follower, Watched& watched, Ring ring) {
    if (const auto id = watched.wanted) {
      bool is_there = true;
      bool is_away = false;
      if (!ring.within().is_all()) {
        const auto task = co_await ring.ventilator("task", *id);
        is_away = !task && task.error().is_silence();  // It is asked again.
        is_there = task && !task->is_null();
      }
      const bool is_wanted = watched.wanted == id;  // Nothing else meanwhile.
      if (is_wanted && !is_away) watch(follower, watched, is_there);
    }
    auto bytes = co_await follower.next();
    co_return bytes;
  }
  void watch(Follower& follower, Watched& watched, bool is_there) {
    const auto id = *std::exchange(watched.wanted, std::nullopt);
    if (!is_there) return follower.refuse(text("watch: ", to_text(id), ": there is no such task"));
    watched.watch.emplace(gateway_.fabric(), id, [&follower](const protocol::Progress& progress) {
      follower.show(progress);
    });
  }
  // Another topic, or another task that is watched; or why not.
  std::optional<std::string> change(Follower& follower, Watched& watched, std::string_view said) {
    const auto message = Value::from_json(said);
    if (!message) return message.error().message;
    if (const auto* members = message->as<Value::Map>();
        members != nullptr && members->size() == 1 && members->front().first == "watch") {
      watched.watch.reset();
      const auto& wanted = members->front().second;
      const auto id = parse_task_id(wanted.text_or(""));
      if (!id && !wanted.is_null()) return "watch: is no task's id";
      watched.wanted = id;
      return std::nullopt;
    }
    const auto* topic = (*message)["topic"].as<std::string>();
    if (topic == nullptr)
      return "what is understood here is {\"topic\": PATTERN} and {\"watch\": ID}";
    auto pattern = TopicPattern::parse(*topic);
    if (!pattern) return pattern.error().message;
    follower.filter(std::move(*pattern));
    return std::nullopt;
  }

  Gateway& gateway_;
  Feed feed_;
  Places places_{kListenersMax};
};

}  // namespace

void add_live(Routes& routes, Gateway& gateway) {
  const auto live = std::make_shared<Live>(gateway);
  const auto wamp = std::make_shared<Wamp>(gateway, live->feed());
  routes.add({"GET", "/notifications", net::Role::kObserve, Reach::kWithin,
              [live](Exchange& exchange) { return live->notifications(exchange); }, false, false});
  routes.add({"GET", "/events", net::Role::kObserve, Reach::kWithin,
              [live](Exchange& exchange) { return live->events(exchange); }});
  routes.add({"GET", "/wamp", net::Role::kSubmit, Reach::kWithin,
              [wamp](Exchange& exchange) { return wamp->serve(exchange); }, true, false});
  gateway.tell("listeners", [live]() { return live->feed().hearing(); });
  asio::co_spawn(
      gateway.io(), [live]() { return live->feed().summarize(); }, asio::detached);
  asio::co_spawn(
      gateway.io(), [live]() { return live->feed().wake_listeners(); }, asio::detached);
  asio::co_spawn(
      gateway.io(), [wamp]() { return wamp->pull(); }, asio::detached);
}

}  // namespace eole::gateway
