#include "gateway/io/state.hpp"

#include <unistd.h>

#include "clients/cpp/tasks/schedule_view.hpp"
#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "common/kinds/offered.hpp"
#include "common/process/options.hpp"
#include "common/process/usage.hpp"
#include "gateway/core/kinds_schema.hpp"
#include "gateway/core/metrics.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"
#include "openapi.hpp"

namespace eole::gateway {

namespace {

using Answered = awaitable<std::optional<http::Response>>;

constexpr Duration kStatePatience = 2s;  // Who asks for it wants to know that a role is away.

// By route and status; of what is no route the path is told as (none): whoever asks chooses it.
Value requests(const Server::Answered& answered) {
  Value::Array all;
  for (const auto& [what, count] : answered) {
    const auto& [route, status] = what;
    all.push_back(Value::Map{{"method", std::string(route == nullptr ? "" : route->method)},
                             {"route", std::string(route == nullptr ? "(none)" : route->path)},
                             {"status", std::int64_t{status}},
                             {"count", count}});
  }
  return all;
}

// Of one that is away: since when.
Value heard(const Fabric::Heard& heard) {
  const auto view = [](std::int64_t ms) { return ms == 0 ? Value() : client::time_view(ms); };
  return Value::Map{{"ventilator", view(heard.ventilator)}, {"sink", view(heard.sink)}};
}

// Who is within a prefix has nothing to do with the connections of others.
Value own_state(Gateway& gateway, const Within& within) {
  if (!within.is_all()) return Value::Map{{"role", "gateway"}, {"within", within.prefix()}};
  const auto used = process::usage();
  Value told = Value::Map{{"role", "gateway"},
                          {"pid", std::int64_t{::getpid()}},
                          {"version", process::kRelease},
                          {"up_seconds", used.up_seconds},
                          {"restarts", process::restarts()},
                          {"cpu_seconds", used.cpu_seconds},
                          {"memory_bytes", used.memory_bytes},
                          {"heard", heard(gateway.fabric().heard())},
                          {"address", gateway.server().address()},
                          {"connections", std::uint64_t{gateway.server().connections()}},
                          {"requests", requests(gateway.server().answered())}};
  for (const auto& [name, how_many] : gateway.told()) told.set(name, std::uint64_t{how_many()});
  return told;
}

// What the roles say of themselves; null of one that does not answer.
awaitable<Told> told_by_all(Gateway& gateway, Ring ring) {
  const auto ventilator = co_await ring.ventilator("status", {}, {}, kStatePatience);
  Ring::Answer workers = Error{"not asked"};
  if (ventilator) workers = co_await ring.ventilator("workers", {}, {}, kStatePatience);
  const auto sink = co_await ring.sink("status", {}, {}, kStatePatience);
  Told told{ventilator ? *ventilator : Value(), workers ? *workers : Value(),
            sink ? *sink : Value(), own_state(gateway, ring.within())};
  co_return told;
}

Answered cluster(Gateway& gateway, Ring ring) {
  const auto told = co_await told_by_all(gateway, ring);
  co_return json(
      200,
      Value::Map{{"ventilator", told.ventilator}, {"sink", told.sink}, {"gateway", told.gateway}});
}

Answered metrics(Gateway& gateway, Ring ring) {
  auto told = co_await told_by_all(gateway, ring);
  if (!told.ventilator.is_null()) {
    const auto counts = co_await ring.ventilator("metrics", {}, {}, kStatePatience);
    if (counts) told.ventilator_counts = *counts;
  }
  if (!told.sink.is_null()) {
    const auto counts = co_await ring.sink("metrics", {}, {}, kStatePatience);
    if (counts) told.sink_counts = *counts;
    Value options = Value::Map{{"each", true}};
    const auto groups = co_await ring.sink("groups", {}, std::move(options), kStatePatience);
    if (groups) told.groups = *groups;
  }
  co_return http::Response{
      200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics_text(told)};
}

// Ready: what is submitted now is accepted, and its result is found.
Answered ready(Ring ring) {
  const auto ventilator = co_await ring.ventilator("status", {}, {}, kStatePatience);
  const auto sink = co_await ring.sink("status", {}, {}, kStatePatience);
  for (const auto* role : {&ventilator, &sink})
    if (!*role) throw http::Problem(503, role->error().message);
  co_return json(200, Value::Map{{"status", "ready"}});
}

Answered workers(Ring ring) { co_return json(200, need(co_await ring.ventilator("workers"))); }

// Those that come with Eole with their arguments, and those that workers offer besides.
Answered all_kinds(Ring ring) {
  const auto told = need(co_await ring.ventilator("kinds"));
  const kinds::OfferedKinds offered(told);
  Value::Array out;
  const auto add = [&](const kinds::Kind& kind) {
    auto view = schema_of(kind);
    view.set("is_offered", offered.has(kind.name));
    out.push_back(std::move(view));
  };
  for (const auto& kind : kinds::all()) add(kind);
  for (const auto& kind : offered.of_runners()) add(kind);
  co_return json(200, Value::Map{{"kinds", std::move(out)}});
}

// Written as parse_duration reads it; in milliseconds.
void set_span(Value& options, const http::Request& request, const std::string& name) {
  const auto written = request.option(name);
  if (!written || written->empty()) return;
  const auto span = parse_duration(*written);
  if (!span) throw http::Problem(400, text(name, "=", *written, ": ", span.error().message));
  options.set(name, *span);
}

void set_times(Value& options, const http::Request& request) {
  for (const auto* name : {"since", "until"})
    if (const auto written = request.option(name); written && !written->empty())
      options.set(name, time_of(name, *written));
  set_span(options, request, "ran");
}

Answered history(Ring ring, http::Request request) {
  auto options = options_of(request, {{"state", "state"},
                                      {"project", "project"},
                                      {"kind", "kind"},
                                      {"worker", "worker"},
                                      {"key", "key"},
                                      {"text", "text"},
                                      {"limit", "limit", true},
                                      {"cursor", "cursor", true},
                                      {"brief", "brief", true}});
  set_times(options, request);
  co_return json(200, need(co_await ring.sink("history", {}, std::move(options))));
}

Answered counts(Ring ring, http::Request request) {
  auto options = options_of(
      request,
      {{"state", "state"}, {"project", "project"}, {"kind", "kind"}, {"worker", "worker"}});
  set_times(options, request);
  set_span(options, request, "step");
  co_return json(200, need(co_await ring.sink("counts", {}, std::move(options))));
}

}  // namespace

void add_state(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  const auto see = net::Role::kObserve;
  routes.add({"GET", "/healthz", kAnybody, Reach::kWithin, [](Exchange&) -> Answered {
                co_return json(200, Value::Map{{"status", "alive"}});
              }});
  routes.add({"GET", "/readyz", see, Reach::kWithin,
              [of](Exchange& exchange) { return ready(of->ring(exchange)); }});
  routes.add({"GET", "/cluster", see, Reach::kWithin,
              [of](Exchange& exchange) { return cluster(*of, of->ring(exchange)); }});
  routes.add({"GET", "/openapi.json", see, Reach::kWithin, [](Exchange&) -> Answered {
                co_return http::Response{
                    200, {{"Content-Type", "application/json"}}, std::string(kOpenApi)};
              }});
  routes.add({"GET", "/metrics", see, Reach::kOfAll,
              [of](Exchange& exchange) { return metrics(*of, of->ring(exchange)); }});
  routes.add({"GET", "/workers", see, Reach::kWithin,
              [of](Exchange& exchange) { return workers(of->ring(exchange)); }});
  routes.add({"GET", "/kinds", see, Reach::kWithin,
              [of](Exchange& exchange) { return all_kinds(of->ring(exchange)); }});
  routes.add({"GET", "/history", see, Reach::kWithin,
              [of](Exchange& exchange) { return history(of->ring(exchange), exchange.request); }});
  routes.add({"GET", "/history/counts", see, Reach::kWithin,
              [of](Exchange& exchange) { return counts(of->ring(exchange), exchange.request); }});
}

}  // namespace eole::gateway
