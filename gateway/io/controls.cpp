#include "gateway/io/controls.hpp"

#include <algorithm>

#include "clients/cpp/tasks/schedule_view.hpp"
#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "gateway/core/submission.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/tasks.hpp"

namespace eole::gateway {

using http::Problem;
using http::Request;

namespace {

using Answered = awaitable<std::optional<http::Response>>;

constexpr std::string_view kLimit = "/limits/{scope}";
constexpr std::string_view kSchedule = "/schedules/{name}";

Answered tell(Ring ring, std::string what, Value wish) {
  co_return json(200, need(co_await ring.control(std::move(what), std::move(wish))));
}

// {"scope": "project:photos"}
Answered hold(Ring ring, Exchange& exchange, std::string what) {
  auto wish = co_await read_map(exchange);
  only(wish, {{"scope", Member::Is::kName}});
  co_return co_await tell(ring, std::move(what), std::move(wish));
}

Answered limits(Ring ring) {
  auto all = need(co_await ring.ventilator("limits"));
  co_return json(200, Value::Map{{"limits", std::move(all)}});
}

// {"running": 8, "rate": 20}: tasks at a time, tasks a second; of a tenant how much it may have
// queued, too.
Answered set_limit(Ring ring, Exchange& exchange) {
  auto wish = co_await read_map(exchange);
  only(wish, {{"running"}, {"rate"}, {"queued"}, {"bytes"}});
  const auto& limits = *wish.as<Value::Map>();
  if (std::all_of(limits.begin(), limits.end(), [](const auto& one) { return one.second.is_null(); }))
    throw Problem(400, "a limit has running or rate; of a tenant rate, queued or bytes");
  wish.set("scope", segment(kLimit, exchange.request, "scope"));
  co_return co_await tell(ring, "limit", std::move(wish));
}

Answered clear_limit(Ring ring, std::string scope) {
  Value wish = Value::Map{{"scope", std::move(scope)}};
  co_return co_await tell(ring, "limit", std::move(wish));
}

// ---- Schedules.

Answered schedules(Ring ring) {
  const auto answer = need(co_await ring.ventilator("schedules"));
  Value::Array all;
  if (const auto* list = answer.as<Value::Array>())
    for (const auto& schedule : *list) all.push_back(client::schedule_view(schedule));
  co_return json(200, Value::Map{{"schedules", std::move(all)}});
}

awaitable<Value> look_up(Ring ring, std::string name) {
  Value options = Value::Map{{"name", name}, {"beats", 5}};
  auto view = need(co_await ring.ventilator("schedule", {}, std::move(options)));
  if (view.is_null()) throw Problem(404, text("schedule ", name, ": there is none"));
  co_return view;
}

Answered show(Ring ring, std::string name) {
  const auto schedule = co_await look_up(ring, std::move(name));
  auto view = client::schedule_view(schedule);
  Value::Array beats;
  if (const auto* given = schedule["beats"].as<Value::Array>())
    for (const auto& beat : *given) beats.push_back(client::time_view(beat));
  view.set("beats", std::move(beats));
  co_return json(200, view);
}

// {"cron", "zone"} or {"every"}, "missed", and "task" as POST /task takes it.
Answered put_schedule(Ring ring, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  using enum Member::Is;
  only(asked, {{"cron", kName, R"(five fields, as in "0 3 * * *")"},
               {"zone", kName, R"(one like "Europe/Paris")"},
               {"every", kName, R"(a span of time like "5s", "1.5h", "2d")"},
               {"missed", kName, R"("once" or "skip")"},
               {"task"}});
  if (asked["cron"].is_null() == asked["every"].is_null())
    throw Problem(400, "a schedule has either cron or every");
  Value wish = Value::Map{{"name", segment(kSchedule, exchange.request, "name")},
                          {"state", "added"},
                          {"missed", asked["missed"].text_or("once")}};
  if (asked["every"].is_null()) {
    wish.set("cron", asked["cron"]);
    wish.set("zone", asked["zone"].text_or("UTC"));
  } else {
    const auto every = parse_duration(asked["every"].text_or(""));
    if (!every)
      throw Problem(400, text("every ", every.error().message),
                    {{"/every", every.error().message}});
    if (!asked["zone"].is_null())
      throw Problem(400, "zone: goes with cron", {{"/zone", "goes with cron"}});
    wish.set("every_ms", *every);
  }
  const auto offered = co_await ring.offered();
  client::TaskRequest preset;
  preset.offered = offered.get();
  auto batch = read_task(asked["task"], "/task", preset);
  wish.set("task", protocol::Blob{std::move(batch.groups)});
  const auto view = need(co_await ring.control("schedule", std::move(wish)));
  co_return json(200, client::schedule_view(view));
}

Answered set_state(Ring ring, std::string name, std::string state) {
  (void)co_await look_up(ring, name);
  Value wish = Value::Map{{"name", name}, {"state", state}};
  const auto view = need(co_await ring.control("schedule", std::move(wish)));
  co_return json(200, state == "removed" ? view : client::schedule_view(view));
}

// Its task once, beside its beats.
Answered run_now(Ring ring, std::string name) {
  const auto view = co_await look_up(ring, std::move(name));
  const auto* groups = view["task"].as<protocol::Blob>();
  if (groups == nullptr) throw Problem(503, "the ventilator did not tell its task");
  const auto ended = co_await ring.submit(groups->bytes, 1, "");
  if (ended.error) throw problem_of(*ended.error);
  const auto id = to_text(TaskId{ended.origin, ended.first});
  co_return json(202, Value::Map{{"ids", Value::Array{id}}});
}

}  // namespace

void add_controls(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  const auto admin = net::Role::kAdmin;
  const auto submit = net::Role::kSubmit;
  const auto see = net::Role::kObserve;
  routes.add({"POST", "/pause", admin, Reach::kWithin,
              [of](Exchange& exchange) { return hold(of->ring(exchange), exchange, "pause"); }});
  routes.add({"POST", "/resume", admin, Reach::kWithin,
              [of](Exchange& exchange) { return hold(of->ring(exchange), exchange, "resume"); }});
  routes.add({"GET", "/limits", see, Reach::kWithin,
              [of](Exchange& exchange) { return limits(of->ring(exchange)); }});
  routes.add({"PUT", kLimit, admin, Reach::kWithin,
              [of](Exchange& exchange) { return set_limit(of->ring(exchange), exchange); }});
  routes.add({"DELETE", kLimit, admin, Reach::kWithin, [of](Exchange& exchange) {
                return clear_limit(of->ring(exchange), segment(kLimit, exchange.request, "scope"));
              }});
  const auto name = [](const Exchange& exchange) {
    return segment(kSchedule, exchange.request, "name");
  };
  routes.add({"GET", "/schedules", see, Reach::kWithin,
              [of](Exchange& exchange) { return schedules(of->ring(exchange)); }});
  routes.add({"GET", kSchedule, see, Reach::kWithin,
              [=](Exchange& exchange) { return show(of->ring(exchange), name(exchange)); }});
  routes.add({"PUT", kSchedule, submit, Reach::kWithin,
              [of](Exchange& exchange) { return put_schedule(of->ring(exchange), exchange); }});
  routes.add({"DELETE", kSchedule, submit, Reach::kWithin, [=](Exchange& exchange) {
                return set_state(of->ring(exchange), name(exchange), "removed");
              }});
  routes.add({"POST", "/schedules/{name}/pause", submit, Reach::kWithin, [=](Exchange& exchange) {
                return set_state(of->ring(exchange), name(exchange), "paused");
              }});
  routes.add({"POST", "/schedules/{name}/resume", submit, Reach::kWithin, [=](Exchange& exchange) {
                return set_state(of->ring(exchange), name(exchange), "running");
              }});
  routes.add({"POST", "/schedules/{name}/run", submit, Reach::kWithin,
              [=](Exchange& exchange) { return run_now(of->ring(exchange), name(exchange)); }});
}

}  // namespace eole::gateway
