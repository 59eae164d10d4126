#include "gateway/io/controls.hpp"

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

Answered tell(Gateway& gateway, std::string what, Value wish) {
  co_return json(200, need(co_await gateway.fabric().control(std::move(what), std::move(wish))));
}

// {"scope": "project:photos"}
Answered hold(Gateway& gateway, Exchange& exchange, std::string what) {
  auto wish = co_await read_map(exchange);
  only(wish, {"scope"});
  co_return co_await tell(gateway, std::move(what), std::move(wish));
}

Answered limits(Gateway& gateway) {
  auto all = need(co_await gateway.fabric().ventilator("limits"));
  co_return json(200, Value::Map{{"limits", std::move(all)}});
}

// {"running": 8, "rate": 20}: tasks at a time, tasks a second.
Answered set_limit(Gateway& gateway, Exchange& exchange) {
  auto wish = co_await read_map(exchange);
  only(wish, {"running", "rate"});
  if (wish["running"].is_null() && wish["rate"].is_null())
    throw Problem(400, "a limit has running, rate or both");
  wish.set("scope", segment(kLimit, exchange.request, "scope"));
  co_return co_await tell(gateway, "limit", std::move(wish));
}

Answered clear_limit(Gateway& gateway, std::string scope) {
  Value wish = Value::Map{{"scope", std::move(scope)}};
  co_return co_await tell(gateway, "limit", std::move(wish));
}

// ---- Schedules.

Answered schedules(Gateway& gateway) {
  const auto answer = need(co_await gateway.fabric().ventilator("schedules"));
  Value::Array all;
  if (const auto* list = answer.as<Value::Array>())
    for (const auto& schedule : *list) all.push_back(client::schedule_view(schedule));
  co_return json(200, Value::Map{{"schedules", std::move(all)}});
}

awaitable<Value> look_up(Gateway& gateway, std::string name) {
  Value options = Value::Map{{"name", name}, {"beats", 5}};
  auto view = need(co_await gateway.fabric().ventilator("schedule", {}, std::move(options)));
  if (view.is_null()) throw Problem(404, text("schedule ", name, ": there is none"));
  co_return view;
}

Answered show(Gateway& gateway, std::string name) {
  const auto schedule = co_await look_up(gateway, std::move(name));
  auto view = client::schedule_view(schedule);
  Value::Array beats;
  if (const auto* given = schedule["beats"].as<Value::Array>())
    for (const auto& beat : *given) beats.push_back(client::time_view(beat));
  view.set("beats", std::move(beats));
  co_return json(200, view);
}

// {"cron", "zone"} or {"every"}, "missed", and "task" as POST /task takes it.
Answered put_schedule(Gateway& gateway, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  only(asked, {"cron", "zone", "every", "missed", "task"});
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
    if (!every) throw Problem(400, every.error().message, {{"/every", every.error().message}});
    wish.set("every_ms", *every);
  }
  auto batch = read_task(asked["task"], "/task");
  wish.set("task", protocol::Blob{std::move(batch.groups)});
  const auto view = need(co_await gateway.fabric().control("schedule", std::move(wish)));
  co_return json(200, client::schedule_view(view));
}

Answered set_state(Gateway& gateway, std::string name, std::string state) {
  (void)co_await look_up(gateway, name);
  Value wish = Value::Map{{"name", name}, {"state", state}};
  const auto view = need(co_await gateway.fabric().control("schedule", std::move(wish)));
  co_return json(200, state == "removed" ? view : client::schedule_view(view));
}

// Its task once, beside its beats.
Answered run_now(Gateway& gateway, std::string name) {
  const auto view = co_await look_up(gateway, std::move(name));
  const auto* groups = view["task"].as<protocol::Blob>();
  if (groups == nullptr) throw Problem(503, "the ventilator did not tell its task");
  const auto ended = co_await gateway.fabric().submit(groups->bytes, 1, "");
  if (ended.error) throw refused_submit(*ended.error, false);
  const auto id = to_text(TaskId{ended.origin, ended.first});
  co_return json(202, Value::Map{{"ids", Value::Array{id}}});
}

}  // namespace

void add_controls(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  const auto admin = net::Role::kAdmin;
  const auto submit = net::Role::kSubmit;
  const auto see = net::Role::kObserve;
  routes.add(
      {"POST", "/pause", admin, [of](Exchange& exchange) { return hold(*of, exchange, "pause"); }});
  routes.add({"POST", "/resume", admin,
              [of](Exchange& exchange) { return hold(*of, exchange, "resume"); }});
  routes.add({"GET", "/limits", see, [of](Exchange&) { return limits(*of); }});
  routes.add({"PUT", kLimit, admin, [of](Exchange& exchange) { return set_limit(*of, exchange); }});
  routes.add({"DELETE", kLimit, admin, [of](Exchange& exchange) {
                return clear_limit(*of, segment(kLimit, exchange.request, "scope"));
              }});
  const auto name = [](const Exchange& exchange) {
    return segment(kSchedule, exchange.request, "name");
  };
  routes.add({"GET", "/schedules", see, [of](Exchange&) { return schedules(*of); }});
  routes.add(
      {"GET", kSchedule, see, [=](Exchange& exchange) { return show(*of, name(exchange)); }});
  routes.add(
      {"PUT", kSchedule, submit, [of](Exchange& exchange) { return put_schedule(*of, exchange); }});
  routes.add({"DELETE", kSchedule, submit,
              [=](Exchange& exchange) { return set_state(*of, name(exchange), "removed"); }});
  routes.add({"POST", "/schedules/{name}/pause", submit,
              [=](Exchange& exchange) { return set_state(*of, name(exchange), "paused"); }});
  routes.add({"POST", "/schedules/{name}/resume", submit,
              [=](Exchange& exchange) { return set_state(*of, name(exchange), "running"); }});
  routes.add({"POST", "/schedules/{name}/run", submit,
              [=](Exchange& exchange) { return run_now(*of, name(exchange)); }});
}

}  // namespace eole::gateway
