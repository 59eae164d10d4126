#include "gateway/io/projects.hpp"

#include <map>

#include "clients/cpp/tasks/project_view.hpp"
#include "common/base/text.hpp"
#include "gateway/core/submission.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;

namespace {

using Answered = awaitable<std::optional<http::Response>>;

constexpr std::string_view kProject = "/projects/{name}";

std::string name_of(const Exchange& exchange) {
  const Route route{{}, kProject, net::Role::kObserve, {}};
  return segment(route, exchange.request, "name");
}

// As the query result has it; null as long as it has not ended.
awaitable<Value> result_of(Gateway& gateway, std::string written) {
  const auto id = parse_task_id(written);
  if (!id) co_return Value();
  auto view = need(co_await gateway.fabric().sink("result", *id));
  co_return view["state"].text_or("") == "retrying" ? Value() : view;
}

// The ventilator first: what is not settled there has not been counted by the sink, but for a
// moment; what it does not know any more has.
Answered show(Gateway& gateway, std::string name) {
  const Value options = Value::Map{{"project", name}};
  const auto live = need(co_await gateway.fabric().ventilator("project", {}, options));
  const auto ended = need(co_await gateway.fabric().sink("project", {}, options));
  if (live.is_null() && ended.is_null())
    throw Problem(404, text("project ", name, ": nothing is known of it"));
  auto view = client::project_view(live, ended);
  auto result = co_await result_of(gateway, live["collected"].text_or(""));
  view.set("result", std::move(result));
  co_return json(200, view);
}

using Projects = std::map<std::string, Value>;

// Those that one role knows, page by page.
awaitable<Projects> known(Gateway& gateway, bool are_live) {
  Projects all;
  Value options = Value::Map{};
  while (true) {
    Value page;  // GCC 12 destroys twice what two co_await behind a ?: made.
    if (are_live)
      page = need(co_await gateway.fabric().ventilator("projects", {}, options));
    else
      page = need(co_await gateway.fabric().sink("projects", {}, options));
    const auto* list = page["projects"].as<Value::Array>();
    if (list != nullptr)
      for (const auto& project : *list) all.emplace(project["project"].text_or(""), project);
    if (list == nullptr || page["next"].is_null()) co_return all;
    options.set("after", page["next"]);
  }
}

Answered list(Gateway& gateway) {
  const auto live = co_await known(gateway, true);
  const auto ended = co_await known(gateway, false);
  auto names = ended;
  names.insert(live.begin(), live.end());
  const auto in = [](const Projects& some, const std::string& name) {
    const auto found = some.find(name);
    return found == some.end() ? Value() : found->second;
  };
  Value::Array all;
  for (const auto& [name, view] : names)
    all.push_back(client::project_view(in(live, name), in(ended, name)));
  co_return json(200, Value::Map{{"projects", std::move(all)}});
}

// {"expected", "is_again", "then": a task}
Answered open(Gateway& gateway, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  only(asked, {"expected", "is_again", "then"});
  Value wish = Value::Map{{"project", name_of(exchange)}};
  for (const auto* name : {"expected", "is_again"})
    if (!asked[name].is_null()) wish.set(name, asked[name]);
  if (!asked["then"].is_null()) {
    auto last = read_task(asked["then"], "/then");
    wish.set("collect", protocol::Blob{std::move(last.groups)});
  }
  co_return json(200, need(co_await gateway.fabric().control("open", std::move(wish))));
}

// The ventilator cancels so many at a time.
Answered end(Gateway& gateway, std::string name, std::string what) {
  Value wish = Value::Map{{"project", name}};
  std::int64_t cancelling = 0;
  while (true) {
    auto answer = need(co_await gateway.fabric().control(what, wish));
    cancelling += answer["cancelling"].int_or(0);
    if (!answer["next"].is_null()) {
      wish.set("after", answer["next"]);
      continue;
    }
    Value view = Value::Map{{"project", name}, {"state", answer["state"]}};
    if (what == "cancel") view.set("cancelling", cancelling);
    co_return json(200, view);
  }
}

Answered hold(Gateway& gateway, std::string name, std::string what) {
  Value wish = Value::Map{{"scope", "project:" + name}};
  co_return json(200, need(co_await gateway.fabric().control(std::move(what), std::move(wish))));
}

}  // namespace

void add_projects(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  const auto submit = net::Role::kSubmit;
  routes.add({"GET", "/projects", net::Role::kObserve, [of](Exchange&) { return list(*of); }});
  routes.add({"GET", kProject, net::Role::kObserve,
              [of](Exchange& exchange) { return show(*of, name_of(exchange)); }});
  routes.add({"POST", "/projects/{name}/open", submit,
              [of](Exchange& exchange) { return open(*of, exchange); }});
  routes.add({"POST", "/projects/{name}/close", submit,
              [of](Exchange& exchange) { return end(*of, name_of(exchange), "close"); }});
  routes.add({"POST", "/projects/{name}/cancel", submit,
              [of](Exchange& exchange) { return end(*of, name_of(exchange), "cancel"); }});
  routes.add({"POST", "/projects/{name}/pause", net::Role::kAdmin,
              [of](Exchange& exchange) { return hold(*of, name_of(exchange), "pause"); }});
  routes.add({"POST", "/projects/{name}/resume", net::Role::kAdmin,
              [of](Exchange& exchange) { return hold(*of, name_of(exchange), "resume"); }});
}

}  // namespace eole::gateway
