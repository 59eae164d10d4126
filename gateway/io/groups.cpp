#include "gateway/io/groups.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/base/topics.hpp"
#include "gateway/core/submission.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;
using http::Request;

namespace {

using Answered = awaitable<std::optional<http::Response>>;

constexpr std::string_view kGroup = "/groups/{name}";
constexpr std::string_view kChain = "/chains/{name}";
constexpr std::string_view kAlert = "/alerts/{name}";
constexpr std::int64_t kAlertSecondsMax = 31'536'000;  // A year.

Problem wrong(std::string_view member, const std::string& why) {
  return {400, text(member, ": ", why), {{text("/", member), why}}};
}

std::string name_in(const Value& said, std::string_view member) {
  const auto* name = said[member].as<std::string>();
  if (name == nullptr || name->empty()) throw wrong(member, "missing");
  return *name;
}

Problem no_such(std::string_view what, const std::string& name) {
  return Problem(404, text(what, " ", name, ": there is none"));
}

// Where in the log: "earliest", "latest", or an offset; of a time, the first one behind which every
// later result lies.
awaitable<Value> place_in_log(Ring ring, std::string member, Value said) {
  if (const auto* offset = said.as<std::int64_t>(); offset != nullptr && *offset >= 0)
    co_return said;
  const auto* written = said.as<std::string>();
  if (written == nullptr || written->empty())
    throw wrong(member, "is earliest, latest, an offset or a time (2h, 2026-01-31T12:00:00Z)");
  if (*written == "earliest" || *written == "latest") co_return said;
  const auto digits = Value::from_json(*written);
  if (digits && digits->int_or(-1) >= 0) co_return *digits;
  Value options = Value::Map{{"unix_ms", time_of(member, *written)}};
  const auto found = need(co_await ring.sink("offset_at", {}, std::move(options)));
  co_return found["offset"];
}

awaitable<Value> offset_in_log(Ring ring, std::string member, Value said) {
  auto place = co_await place_in_log(ring, std::move(member), std::move(said));
  if (place.as<std::string>() == nullptr) co_return place;
  const auto status = need(co_await ring.sink("status"));
  co_return status[place == Value("latest") ? "head" : "log_kept_from"];
}

awaitable<Value> look_up(Ring ring, Value options) {
  auto view = need(co_await ring.sink("groups", {}, options));
  if (view.is_null()) throw no_such("group", options["group"].text_or(""));
  co_return view;
}

Answered groups(Ring ring, Request request) {
  auto options = options_of(request, {{"after", "after"}});
  co_return json(200, need(co_await ring.sink("groups", {}, std::move(options))));
}

Answered show(Ring ring, std::string name) {
  Value options = Value::Map{{"group", std::move(name)}};
  co_return json(200, co_await look_up(ring, std::move(options)));
}

// {"group": "billing", "from": "earliest", "partitions": 8}; one that is there stays as it is.
Answered create(Ring ring, Exchange& exchange) {
  const auto said = co_await read_map(exchange);
  only(said, {{"group", Member::Is::kName}, {"from"}, {"partitions"}});
  Value begin = said["from"].is_null() ? Value("latest") : said["from"];
  auto from = co_await place_in_log(ring, "from", std::move(begin));
  Value wish = Value::Map{{"group", name_in(said, "group")}, {"from", std::move(from)}};
  if (!said["partitions"].is_null()) {
    if (said["partitions"].as<std::int64_t>() == nullptr)
      throw wrong("partitions", "is no whole number");
    wish.set("partitions", said["partitions"]);
  }
  const auto view = need(co_await ring.control_sink("group_create", std::move(wish)));
  co_return json(view["created"] == Value(true) ? 201 : 200, view);
}

// {"to": "1d", "dry_run": true}: how many records that skips and repeats, before or as it is done.
Answered move(Ring ring, Exchange& exchange, std::string name) {
  const auto said = co_await read_map(exchange);
  only(said, {{"to"}, {"dry_run", Member::Is::kFlag}});
  const auto place = co_await offset_in_log(ring, "to", said["to"]);
  Value options = Value::Map{{"group", name}, {"to", place}};
  const auto before = co_await look_up(ring, std::move(options));
  Value view = Value::Map{{"group", name}, {"from", place}};
  if (said["dry_run"] != Value(true)) {
    Value wish = view;
    wish.set("wish", ring.random() >> 1);  // A copy that comes late is known by it.
    const auto done = need(co_await ring.control_sink("group_move", std::move(wish)));
    if (done["was_there"] != Value(true)) throw no_such("group", name);
  }
  for (const auto* member : {"skips", "repeats", "lag_is_exact"}) view.set(member, before[member]);
  co_return json(200, view);
}

Answered remove(Ring ring, std::string name) {
  Value wish = Value::Map{{"group", name}};
  const auto view = need(co_await ring.control_sink("group_delete", std::move(wish)));
  if (view["was_there"] != Value(true)) throw no_such("group", name);
  co_return json(200, view);
}

// {"member": "host-4711"}: in the body, since a name may be what no path has.
Answered remove_member(Ring ring, Exchange& exchange, std::string name) {
  const auto said = co_await read_map(exchange);
  only(said, {{"member", Member::Is::kName}});
  const auto member = name_in(said, "member");
  Value wish = Value::Map{{"group", name}, {"member", member}};
  const auto view = need(co_await ring.control_sink("group_remove_member", std::move(wish)));
  if (view["was_there"] != Value(true)) throw no_such("group", name);
  if (view["removed"].int_or(0) == 0) throw no_such("member", member);
  co_return json(200, view);
}

// ---- What the relay acts on.

Answered chains(Ring ring) {
  auto all = need(co_await ring.ventilator("chains"));
  co_return json(200, Value::Map{{"chains", std::move(all)}});
}

Answered alerts(Ring ring) {
  auto all = need(co_await ring.ventilator("alerts"));
  auto raised = need(co_await ring.ventilator("raised"));
  co_return json(200, Value::Map{{"alerts", std::move(all)}, {"raised", std::move(raised)}});
}

Answered declare(Ring ring, std::string what, Value wish) {
  wish.set("state", "added");
  const auto view = need(co_await ring.control(std::move(what), std::move(wish)));
  co_return json(view["was_there"] == Value(true) ? 200 : 201, view);
}

Answered take_back(Ring ring, std::string what, std::string name) {
  Value wish = Value::Map{{"name", name}, {"state", "removed"}};
  const auto view = need(co_await ring.control(what, std::move(wish)));
  if (view["was_there"] != Value(true)) throw no_such(what, name);
  co_return json(200, view);
}

// Its arguments are known once a notification has filled them, but for those that are said here;
// all else is as of any task.
void check_chained(Value task, const kinds::OfferedKinds* offered) {
  client::TaskRequest preset;
  preset.offered = offered;
  preset.is_filled = true;
  check_task(task, "/task", preset);
  task.set("kind", "echo");
  task.set("args", Value());
  (void)read_task(task, "/task", {});
}

// {"name", "from": a pattern, "start", "task": as POST /task takes it, with $NAME in it}.
Answered add_chain(Ring ring, Exchange& exchange) {
  const auto said = co_await read_map(exchange);
  using enum Member::Is;
  only(said, {{"name", kName}, {"from", kName}, {"start"}, {"task"}});
  const auto pattern = TopicPattern::parse(name_in(said, "from"));
  if (!pattern) throw wrong("from", pattern.error().message);
  const auto offered = co_await ring.offered();
  check_chained(said["task"], offered.get());
  Value begin = said["start"].is_null() ? Value("latest") : said["start"];
  auto start =
      co_await offset_in_log(ring, "start", std::move(begin));  // Now, not once the relay begins.
  Value wish = Value::Map{{"name", name_in(said, "name")},
                          {"from", said["from"]},
                          {"start", std::move(start)},
                          {"task", said["task"]}};
  co_return co_await declare(ring, "chain", std::move(wish));
}

// {"name", "group", "seconds", "command"}; by itself it has its group's name.
Answered add_alert(Ring ring, Exchange& exchange) {
  const auto said = co_await read_map(exchange);
  using enum Member::Is;
  only(said, {{"name", kName}, {"group", kName}, {"seconds", kWhole}, {"command", kList}});
  const auto group = name_in(said, "group");
  const auto seconds = said["seconds"].int_or(0);
  if (seconds < 1 || seconds > kAlertSecondsMax)
    throw wrong("seconds", text("is a whole number, 1 to ", kAlertSecondsMax));
  Value wish = Value::Map{{"name", said["name"].is_null() ? group : name_in(said, "name")},
                          {"group", group},
                          {"seconds", seconds}};
  if (!said["command"].is_null()) {
    const auto* words = said["command"].as<Value::Array>();
    const bool is_command =
        words != nullptr && !words->empty() && std::ranges::all_of(*words, [](const Value& word) {
          return word.as<std::string>() != nullptr;
        });
    if (!is_command) throw wrong("command", "is a list of texts, at least one");
    wish.set("command", said["command"]);
  }
  co_return co_await declare(ring, "alert", std::move(wish));
}

}  // namespace

void add_groups(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  using enum net::Role;
  const auto in = [](std::string_view path, const Exchange& exchange) {
    return segment(path, exchange.request, "name");
  };
  routes.add({"GET", "/groups", kObserve, Reach::kWithin,
              [of](Exchange& e) { return groups(of->ring(e), e.request); }});
  routes.add({"POST", "/groups", kSubmit, Reach::kWithin,
              [of](Exchange& e) { return create(of->ring(e), e); }});
  routes.add({"GET", kGroup, kObserve, Reach::kWithin,
              [=](Exchange& e) { return show(of->ring(e), in(kGroup, e)); }});
  routes.add({"DELETE", kGroup, kSubmit, Reach::kWithin,
              [=](Exchange& e) { return remove(of->ring(e), in(kGroup, e)); }});
  routes.add({"POST", "/groups/{name}/remove", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return remove_member(of->ring(e), e, in(kGroup, e)); }});
  routes.add({"POST", "/groups/{name}/move", kSubmit, Reach::kWithin,
              [=](Exchange& e) { return move(of->ring(e), e, in(kGroup, e)); }});
  routes.add({"GET", "/chains", kObserve, Reach::kWithin,
              [of](Exchange& e) { return chains(of->ring(e)); }});
  routes.add({"POST", "/chains", kSubmit, Reach::kWithin,
              [of](Exchange& e) { return add_chain(of->ring(e), e); }});
  routes.add({"DELETE", kChain, kSubmit, Reach::kWithin,
              [=](Exchange& e) { return take_back(of->ring(e), "chain", in(kChain, e)); }});
  routes.add({"GET", "/alerts", kObserve, Reach::kWithin,
              [of](Exchange& e) { return alerts(of->ring(e)); }});
  routes.add({"POST", "/alerts", kSubmit, Reach::kWithin,
              [of](Exchange& e) { return add_alert(of->ring(e), e); }});
  routes.add({"DELETE", kAlert, kSubmit, Reach::kWithin,
              [=](Exchange& e) { return take_back(of->ring(e), "alert", in(kAlert, e)); }});
}

}  // namespace eole::gateway
