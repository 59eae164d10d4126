#include "gateway/io/pulling.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "common/protocol/trace.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"
#include "worker/runners/references.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;

namespace {

constexpr Duration kLeaseWaitMax = 60s;
constexpr Duration kWaitLeast = 250ms;  // The ventilator is asked, and answers, within it.
constexpr Duration kLeaseTime = 30s;
constexpr Duration kLeaseTimeMax = 12h;
constexpr std::uint32_t kLeasedAtOnceMax = 100;
constexpr auto kDurableTime = std::chrono::seconds(10);

std::int64_t left_ms(const Leased& leased, TimePoint now) {
  return std::max<std::int64_t>(0, (leased.until - now) / std::chrono::milliseconds(1));
}

}  // namespace

Pulling::Pulling(Gateway& gateway)
    : gateway_(gateway), fabric_(gateway.fabric()), pullers_(fabric_) {
  asio::co_spawn(gateway.io(), pullers_.tidy(), asio::detached);
}

awaitable<Value> Pulling::lease(Exchange& exchange, Pulled pulled, View view) {
  const auto& request = exchange.request;
  const auto most = count_of(request, "max", 1, kLeasedAtOnceMax);
  const auto time = duration_of(request, "lease", kLeaseTime, kLeaseTimeMax);
  if (time < 1s) throw Problem(400, "lease: at least 1s");
  const auto wait = std::max(kWaitLeast, duration_of(request, "wait", Duration{}, kLeaseWaitMax));
  const auto leased =
      co_await pullers_.of(pulled).lease(most, time, wait, [&] { return exchange.is_gone(); });
  Value::Array list;
  for (const auto& one : leased) {
    auto args = co_await args_of(one.task);
    auto shown = view(one, std::move(args));
    shown.set("lease", one.lease);
    shown.set("id", to_text(one.task.id));
    shown.set("attempt", std::uint32_t{one.task.attempt});
    shown.set("left_ms", left_ms(one, fabric_.world().now()));
    if (!one.task.trace.empty()) shown.set("traceparent", protocol::traceparent_of(one.task.trace));
    list.push_back(std::move(shown));
  }
  if (exchange.is_gone()) {
    if (auto* puller = pullers_.find(pulled))
      for (const auto& one : leased) puller->give_back(one.lease);
    throw Gone();
  }
  co_return Value(std::move(list));
}

// With what it takes of its parents' results, as a worker's own attempts find it. What cannot be
// had stays as it was written.
awaitable<Value> Pulling::args_of(const worker::StartTask& task) {
  auto args = Value::from_msgpack(task.args);
  if (!args) co_return Value(protocol::Blob{task.args});
  if (task.conditions.empty() || task.args.find("$result") == task.args.npos)
    co_return std::move(*args);
  const auto conditions = protocol::decode_conditions(task.conditions);
  const auto parents = conditions ? protocol::decode_parents(conditions->parents)
                                  : Expected<std::vector<protocol::Parent>>(conditions.error());
  if (!parents) co_return std::move(*args);
  auto references = worker::References::find(*args, task.id, *parents);
  if (!references) co_return std::move(*args);
  Ring ring(fabric_, Within(task.task_class.within));  // As a worker asks for it.
  for (const auto& parent : references->wanted()) {
    const auto record = co_await ring.sink("result", parent);
    if (record) (void)references->put(parent, *record);
  }
  co_return std::move(*args);
}

Puller& Pulling::holder(const Pulled& pulled, const std::string& lease) {
  auto* puller = pullers_.find(pulled);
  if (puller == nullptr ||
      (puller->leases().find(lease) == nullptr && !puller->leases().has_ended(lease)))
    throw Problem(404, text("lease ", lease,
                            ": is nobody's: it lapsed, was ended or cancelled, or "
                            "was given by another gateway"));
  return *puller;
}

Response Pulling::renew(const http::Request& request, const Pulled& pulled,
                        const std::string& lease) {
  auto& puller = holder(pulled, lease);
  const auto time = duration_of(request, "lease", Duration{}, kLeaseTimeMax);
  const auto* leased = puller.renew(lease, time);
  if (leased == nullptr) throw Problem(410, text("lease ", lease, ": was ended"));
  return json(200,
              Value::Map{{"lease", lease}, {"left_ms", left_ms(*leased, fabric_.world().now())}});
}

awaitable<Response> Pulling::end(Ring ring, Pulled pulled, std::string lease,
                                 Puller::Outcome outcome) {
  auto& puller = holder(pulled, lease);
  const auto* leased = puller.leases().find(lease);
  Value answer = Value::Map{{"lease", lease}};
  if (leased == nullptr) {  // Said again: whoever asks did not hear the first answer.
    answer.set("state", "ended");
    co_return json(200, answer);
  }
  const auto id = leased->task.id;
  answer.set("id", to_text(id));
  const bool is_tried_again =
      !outcome.is_done && (outcome.is_lost || leased->task.task_class.retry != 0);
  puller.end(lease, std::move(outcome));
  std::string state;
  if (!is_tried_again) {
    const auto told = co_await ring.ended(id, kDurableTime, []() { return false; });
    if (told) state = (*told)["state"].text_or("");
  }
  answer.set("state", !state.empty() ? state : is_tried_again ? "retrying" : "ending");
  co_return json(state.empty() ? 202 : 200, answer);
}

Response Pulling::show(const Pulled& pulled, const std::string& lease,
                       protocol::Progress progress) {
  if (!holder(pulled, lease).show(lease, std::move(progress)))
    throw Problem(410, text("lease ", lease, ": was ended"));
  return json(202, Value::Map{{"lease", lease}});
}

}  // namespace eole::gateway
