#include "gateway/io/gateway.hpp"

#include <unistd.h>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "gateway/core/http/origin.hpp"
#include "gateway/io/cancels.hpp"
#include "gateway/io/controls.hpp"
#include "gateway/io/dead.hpp"
#include "gateway/io/live.hpp"
#include "gateway/io/logs.hpp"
#include "gateway/io/projects.hpp"
#include "gateway/io/queues.hpp"
#include "gateway/io/state.hpp"
#include "gateway/io/tasks.hpp"
#include "gateway/io/uploads.hpp"

namespace eole::gateway {

namespace {
constexpr Duration kDrainTime = 10s;  // For answers under way, at the end.
constexpr int kTurnMax = 1024;        // Handlers of one turn.
constexpr Duration kTurnTimeMax = 5ms;

awaitable<std::optional<http::Response>> now(http::Response response) { co_return response; }
}  // namespace

Gateway::Gateway(Options options, role::Loop& loop)
    : options_(std::move(options)),
      loop_(loop),
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
  server_.listen(options_.listen);
}

awaitable<std::optional<http::Response>> Gateway::serve(Exchange& exchange) {
  http::check_origin(exchange.request);
  if (exchange.request.target == "*") return now({204, {}, {}});  // OPTIONS of all: it is here.
  if (auto page = page_.answer(exchange.request)) return now(std::move(*page));
  const auto& route = routes_.find(exchange.request);
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
  if (const auto due = loop_.send_log()) until = std::min(until.value_or(*due), *due);
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
  process::log_info(text("serves http://", server_.address()));
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
