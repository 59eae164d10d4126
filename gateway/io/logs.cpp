#include "gateway/io/logs.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/places.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;

namespace {

constexpr std::size_t kLogFollowersMax = 256;
constexpr std::int64_t kFollowedLines = 1000;  // In one look.
constexpr auto kLookEvery = std::chrono::milliseconds(500);
constexpr Duration kLookPatience = 2s;  // For the sink's answer; it is asked again.
constexpr Duration kSignOfLife = 15s;   // At least so often something is said.

class Logs {
 public:
  explicit Logs(Gateway& gateway) : gateway_(gateway) {}

  awaitable<std::optional<Response>> serve(Exchange& exchange) {
    auto asked = wanted(exchange.request);
    const auto& accept = exchange.request.field("accept");
    if (accept.find("text/event-stream") != std::string_view::npos)
      co_return co_await follow(exchange, std::move(asked));
    auto ring = gateway_.ring(exchange);
    co_return json(200, need(co_await ring.sink("logs", {}, std::move(asked))));
  }

 private:
  static Value wanted(const http::Request& request) {
    auto asked = options_of(request, {{"level", "level"},
                                      {"task", "task"},
                                      {"role", "role"},
                                      {"limit", "limit", true},
                                      {"before", "before", true},
                                      {"after", "after", true}});
    if (const auto since = request.option("since"); since && !since->empty())
      asked.set("since", time_of("since", *since));
    return asked;
  }

  // Where it begins: behind what was heard last, or behind all there is. Throws Problem.
  static awaitable<Value> first(Ring ring, const http::Request& request, Value asked) {
    const auto last = request.field("last-event-id");
    if (!last.empty()) {
      const auto offset = Value::from_json(last);
      if (!offset || offset->as<std::int64_t>() == nullptr)
        throw Problem(400, text("Last-Event-ID: ", last, ": an offset of a line"));
      co_return *offset;
    }
    if (!asked["after"].is_null()) co_return asked["after"];
    asked.set("limit", 1);
    const auto page = need(co_await ring.sink("logs", {}, std::move(asked)));
    co_return page["head"];
  }

  awaitable<std::optional<Response>> follow(Exchange& exchange, Value asked) {
    if (!places_.has_free(owner_of(exchange.caller)))
      throw Problem(503, text(kLogFollowersMax, " follow already: the limit"));
    const auto place = co_await places_.take(owner_of(exchange.caller));
    auto ring = gateway_.ring(exchange);
    auto from = co_await first(ring, exchange.request, asked);
    asked.set("after", std::move(from));
    asked.set("limit", kFollowedLines);
    Response head{200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
    co_await exchange.begin(std::move(head), std::nullopt);
    if (exchange.request.method == "HEAD") {
      co_await exchange.end();
      co_return std::nullopt;
    }
    asio::steady_timer pause(co_await asio::this_coro::executor);
    bool is_over = false;
    const auto end = gateway_.on_stop([&]() {
      is_over = true;
      pause.cancel();
    });
    co_await exchange.write("retry: 1000\n\n");
    auto said_at = process::now();
    while (!is_over && !exchange.is_gone()) {
      const auto page = co_await ring.sink("logs", {}, asked, kLookPatience);
      std::string events;
      if (page) events = events_of(*page);
      const bool is_refused = !page && !page.error().is_silence();
      if (is_refused) {
        const Value why = Value::Map{{"text", page.error().message}};
        events = text("event: error\ndata: ", why.to_json(), "\n\n");
      }
      if (events.empty() && process::now() - said_at >= kSignOfLife) events = ":\n\n";
      if (!events.empty()) {
        co_await exchange.write(events);
        said_at = process::now();
      }
      if (is_refused) break;
      if (page) asked.set("after", (*page)["next"]);
      if (page && (*page)["next"].int_or(0) < (*page)["head"].int_or(0)) continue;
      pause.expires_after(kLookEvery);
      boost::system::error_code ignored;
      if (!is_over) co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await exchange.end();
    co_return std::nullopt;
  }

  static std::string events_of(const Value& page) {
    std::string out;
    if (const auto* lines = page["lines"].as<Value::Array>())
      for (const auto& line : *lines)
        out += text("id: ", line["offset"].int_or(0), "\ndata: ", line.to_json(), "\n\n");
    return out;
  }

  Gateway& gateway_;
  Places places_{kLogFollowersMax};
};

}  // namespace

void add_logs(Routes& routes, Gateway& gateway) {
  const auto logs = std::make_shared<Logs>(gateway);
  routes.add({"GET", "/logs", net::Role::kObserve, Reach::kOfAll,
              [logs](Exchange& exchange) { return logs->serve(exchange); }});
}

}  // namespace eole::gateway
