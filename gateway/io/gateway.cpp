#include "gateway/io/gateway.hpp"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "common/base/text.hpp"
#include "common/process/certificate.hpp"
#include "common/process/log.hpp"
#include "gateway/core/http/origin.hpp"
#include "gateway/core/page.hpp"
#include "gateway/io/cancels.hpp"
#include "gateway/io/controls.hpp"
#include "gateway/io/dead.hpp"
#include "gateway/io/group_reading.hpp"
#include "gateway/io/groups.hpp"
#include "gateway/io/live.hpp"
#include "gateway/io/logs.hpp"
#include "gateway/io/projects.hpp"
#include "gateway/io/queues.hpp"
#include "gateway/io/state.hpp"
#include "gateway/io/stream.hpp"
#include "gateway/io/tasks.hpp"
#include "gateway/io/uploads.hpp"
#include "openapi.hpp"

namespace eole::gateway {

namespace {
constexpr Duration kDrainTime = 10s;  // For answers under way, at the end.
constexpr int kTurnMax = 1024;        // Handlers of one turn.
constexpr Duration kTurnTimeMax = 5ms;

struct Where {
  std::string address;
  bool is_local = false;
};
// Of "[::1]:80". What makes no sense is refused by who listens.
Where place_of(const std::string& listen) {
  auto host = listen.substr(0, std::min(listen.rfind(':'), listen.size()));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, net::is_local(host)};
}

awaitable<std::optional<http::Response>> now(http::Response response) { co_return response; }
}  // namespace

Gateway::Gateway(Options options, role::Loop& loop)
    : options_(std::move(options)),
      loop_(loop),
      described_(*protocol::Value::from_json(kOpenApi)),
      fabric_(loop, options_.cluster),
      ring_(io_, ::dup(loop.fd())),
      server_(io_, [this](Exchange& exchange) { return serve(exchange); }) {
  add_tasks(routes_, *this);
  add_cancels(routes_, *this);
  add_projects(routes_, *this);
  add_controls(routes_, *this);
  add_dead(routes_, *this);
  add_state(routes_, *this);
  add_uploads(routes_, *this);
  add_live(routes_, *this);
  add_logs(routes_, *this);
  add_queues(routes_, *this);
  add_groups(routes_, *this);
  add_group_reading(routes_, *this);
  add_access(routes_, *this);
  open_door();
}

// This machine's own addresses are for its owner, by the kernel's word; or for who shows a token.
// Any other is for who shows a token, and encrypted.
void Gateway::open_door() {
  const auto place = place_of(options_.listen);
  place_.is_local = place.is_local;
  place_.origin = options_.origin;
  Access::Options access;
  access.asks_token = options_.asks_token || !place.is_local;
  if (!options_.origin.empty() && !access.asks_token)
    throw std::runtime_error("--http-origin: another's page needs a token: --http-tokens");
  if (!options_.origin.empty() && !http::is_origin(options_.origin))
    throw std::runtime_error(text("--http-origin ", options_.origin,
                                  ": wanted is one as a browser says it, https://example.org"));
  Server::Door door;
  if (!place.is_local || !options_.certificate.empty()) {
    const auto certificate = options_.certificate.empty()
                                 ? process::own_certificate(options_.data, place.address)
                                 : process::read_certificate(options_.certificate, options_.key);
    place_.hosts = certificate.hosts;
    place_.hosts.push_back(place.address);
    door.tls = std::make_shared<const Tls>(certificate.path, certificate.key_path);
    process::log_info(
        text("certificate ", certificate.path, ", SHA-256 ", certificate.fingerprint));
  }
  place_.is_secure = access.is_secure = door.tls != nullptr;
  access.table = options_.cluster.token_table.empty() ? options_.data + "/tokens.toml"
                                                      : options_.cluster.token_table;
  door.is_open = access.asks_token;
  door.is_still_let_in = [this](const Caller& caller) { return access_->is_still_let_in(caller); };
  server_.listen(options_.listen, std::move(door));
  // Browsers keep cookies of all ports together.
  const auto& address = server_.address();
  access.cookie =
      text(access.is_secure ? "__Host-eole-" : "eole-", address.substr(address.rfind(':') + 1));
  access_ = std::make_unique<Access>(std::move(access));
}

awaitable<std::optional<http::Response>> Gateway::serve(Exchange& exchange) {
  const auto& request = exchange.request;
  // A cache gives that page nothing that it keeps for others.
  if (!place_.origin.empty()) exchange.common = {{"Vary", "Origin"}};
  const bool is_shared = http::check_origin(request, place_);
  if (is_shared) {
    exchange.common = http::shared_with(place_);
    if (http::is_preflight(request)) return now(http::allow(request));
    // A page of another origin shows a token: the session is this one's own page's.
    std::erase_if(exchange.request.fields,
                  [](const auto& field) { return field.name == "cookie"; });
  }
  if (request.target == "*") return now({204, {}, {}});  // OPTIONS of all: it is here.
  if (auto page = page_.answer(request)) return now(std::move(*page));
  if (!is_shared) http::check_site(request);
  if (is_for_eyes(request) && !routes_.has_path(request))
    if (auto page = page_.missing(request)) return now(std::move(*page));
  const auto& route = routes_.find(request);
  exchange.route = &route;
  exchange.caller = access_->admit(exchange, route);
  described_.check(route.method, route.path, request);
  return route.handler(exchange);
}

std::shared_ptr<void> Gateway::on_stop(Stop wish) {
  const auto number = ++last_stop_;
  stops_.emplace(number, std::move(wish));
  return {nullptr, [this, number](void*) { stops_.erase(number); }};  // Shared: it is erased.
}

void Gateway::watch_ring() {
  if (std::exchange(is_ring_watched_, true)) return;
  ring_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const auto& error) {
    if (error) return;
    loop_.look();
    is_ring_watched_ = false;  // Again once what came was taken: it stays readable until then.
  });
}

// Until a connection or the ring has something.
void Gateway::sleep(std::optional<TimePoint> until) {
  watch_ring();
  if (const auto due = loop_.report()) until = std::min(until.value_or(*due), *due);
  if (until) {
    io_.run_one_for(std::max(*until - loop_.now(), Duration{}));
  } else {
    io_.run_one();
  }
  // What came meanwhile is of the same turn: what it submits goes out together.
  const auto end = loop_.now() + kTurnTimeMax;
  for (int i = 0; i < kTurnMax && loop_.now() < end && io_.poll_one() > 0; ++i) {
  }
}

int Gateway::run() {
  process::log_info(text("serves ", place_.is_secure ? "https://" : "http://", server_.address()));
  std::optional<TimePoint> end_at;
  while (!end_at || (!server_.is_idle() && loop_.now() < *end_at)) {
    if (loop_.take_stops() > 0) {
      if (end_at) break;
      end_at = loop_.now() + kDrainTime;
      server_.stop();
      fabric_.stop();
      for (const auto& [number, wish] : std::map(stops_)) wish();
    }
    auto until = fabric_.turn();
    if (end_at) until = std::min(until.value_or(*end_at), *end_at);
    sleep(until);
  }
  return 0;
}

}  // namespace eole::gateway
