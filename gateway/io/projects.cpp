#include "gateway/io/projects.hpp"

#include <map>

#include "clients/cpp/tasks/project_anew.hpp"
#include "clients/cpp/tasks/project_view.hpp"
#include "common/base/text.hpp"
#include "gateway/core/submission.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"
#include "gateway/io/tasks.hpp"

namespace eole::gateway {

using http::Problem;

namespace {

using Answered = awaitable<std::optional<http::Response>>;

constexpr std::string_view kProject = "/projects/{name}";
constexpr std::size_t kRetriedMax = 65'536;  // Tasks that one request does anew.

std::string name_of(const Exchange& exchange) {
  return segment(kProject, exchange.request, "name");
}

// As the query result has it; null as long as it has not ended.
awaitable<Value> result_of(Ring ring, std::string written) {
  const auto id = parse_task_id(written);
  if (!id) co_return Value();
  auto view = need(co_await ring.sink("result", *id));
  co_return view["state"].text_or("") == "retrying" ? Value() : view;
}

Problem unknown(const std::string& name) {
  return Problem(404, text("project ", name, ": nothing is known of it"));
}

// The ventilator first: what it does not know any more was counted by the sink.
Answered show(Ring ring, std::string name) {
  const Value options = Value::Map{{"project", name}};
  const auto live = need(co_await ring.ventilator("project", {}, options));
  Value ended_options = client::ended_options(name, live);
  const auto ended = need(co_await ring.sink("project", {}, std::move(ended_options)));
  if (live.is_null() && ended.is_null()) throw unknown(name);
  auto view = client::project_view(live, ended);
  auto result = co_await result_of(ring, live["collected"].text_or(""));
  view.set("result", std::move(result));
  co_return json(200, view);
}

using Projects = std::map<std::string, Value>;

// Those that one role knows, page by page.
awaitable<Projects> known(Ring ring, bool are_live) {
  Projects all;
  Value options = Value::Map{};
  while (true) {
    Value page;  // GCC 12 destroys twice what two co_await behind a ?: made.
    if (are_live)
      page = need(co_await ring.ventilator("projects", {}, options));
    else
      page = need(co_await ring.sink("projects", {}, options));
    const auto* list = page["projects"].as<Value::Array>();
    if (list != nullptr)
      for (const auto& project : *list) all.emplace(project["project"].text_or(""), project);
    if (list == nullptr || page["next"].is_null()) co_return all;
    options.set("after", page["next"]);
  }
}

Answered list(Ring ring) {
  const auto live = co_await known(ring, true);
  const auto ended = co_await known(ring, false);
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
Answered open(Ring ring, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  only(asked, {{"expected", Member::Is::kExpected}, {"is_again", Member::Is::kFlag}, {"then"}});
  Value wish = Value::Map{{"project", name_of(exchange)}};
  for (const auto* name : {"expected", "is_again"})
    if (!asked[name].is_null()) wish.set(name, asked[name]);
  if (!asked["then"].is_null()) {
    const auto offered = co_await ring.offered();
    client::TaskRequest preset;
    preset.offered = offered.get();
    auto last = read_task(asked["then"], "/then", preset);
    wish.set("collect", protocol::Blob{std::move(last.groups)});
  }
  co_return json(200, need(co_await ring.control("open", std::move(wish))));
}

// A name that is mistyped would be another project, closed from its beginning.
awaitable<void> need_known(Ring ring, std::string name) {
  const Value options = Value::Map{{"project", name}};
  const auto live = need(co_await ring.ventilator("project", {}, options));
  if (!live.is_null()) co_return;
  const auto ended = need(co_await ring.sink("project", {}, options));
  if (ended.is_null()) throw unknown(name);
}

// The ventilator cancels so many at a time.
Answered end(Ring ring, std::string name, std::string what) {
  co_await need_known(ring, name);
  Value wish = Value::Map{{"project", name}};
  std::int64_t cancelling = 0;
  while (true) {
    auto answer = need(co_await ring.control(what, wish));
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

awaitable<client::Missing> missing_of(Ring ring, std::string name, std::string after) {
  client::Missing missing;
  missing.before = parse_task_id(after);
  Value options = Value::Map{{"project", name}, {"missing", true}};
  while (true) {
    const auto page = need(co_await ring.sink("parts", {}, options));
    if (auto added = missing.add(page); !added) throw problem_of(added.error());
    if (page["next"].is_null()) break;
    options.set("from", page["next"]);
  }
  missing.finish();
  if (missing.parts.size() > kRetriedMax)
    throw Problem(413, text(missing.parts.size(), " tasks are missing, limit ", kRetriedMax,
                            " (eole project retry has none)"));
  co_return missing;
}

awaitable<Batch> tasks_anew(Ring ring, const client::Missing& missing) {
  std::map<TaskId, std::uint64_t> index_of;
  std::vector<client::TaskRequest> tasks;
  for (const auto& [part, id] : missing.parts) {
    const auto raw = need(co_await ring.sink("spec", id));
    const auto* blob = raw.as<protocol::Blob>();
    if (blob == nullptr)
      throw Problem(409, text(to_text(id), ": the log has its end, and not the task itself"));
    auto task = client::task_anew(blob->bytes, missing, index_of);
    if (!task) throw problem_of({text(to_text(id), ": ", task.error().message), task.error().code});
    index_of[part] = tasks.size();
    tasks.push_back(std::move(*task));
  }
  auto batch = encode_tasks(tasks);
  if (batch.groups.size() > kTasksBytesMax)
    throw Problem(413, text("tasks of ", batch.groups.size(), " bytes, limit ", kTasksBytesMax,
                            " (eole project retry has none)"));
  co_return batch;
}

// Opened anew, fed and closed: then its last task comes anew, too.
Answered retry(Ring ring, std::string name) {
  const Value of_it = Value::Map{{"project", name}};
  const auto live = need(co_await ring.ventilator("project", {}, of_it));
  const auto ended = need(co_await ring.sink("project", {}, of_it));
  if (live.is_null() && ended.is_null()) throw unknown(name);
  const auto begun = live["retried_after"].text_or("");  // It did not come to its end.
  if (begun.empty() && client::project_view(live, ended)["state"].text_or("") != "over")
    throw Problem(409, text("project ", name, ": is not over, what runs is not missing"));
  const auto missing = co_await missing_of(ring, name, begun);
  const Value answer =
      Value::Map{{"project", name}, {"retried", std::uint64_t{missing.parts.size()}}};
  if (missing.parts.empty() && begun.empty()) co_return json(200, answer);
  auto batch = co_await tasks_anew(ring, missing);  // Before anything changes.
  const bool is_opened = live["is_opened"] == Value(true);
  Value wish = Value::Map{{"project", name}, {"is_retry", true}};
  std::string after;
  if (is_opened)
    after = need(co_await ring.control("open", std::move(wish)))["retried_after"].text_or("");
  auto key = client::retry_key(name, after);
  if (!key.empty()) key += "0";  // It is one message.
  if (batch.count > 0) {
    const auto told = co_await ring.submit(std::move(batch.groups), batch.count, std::move(key));
    if (told.error) throw problem_of(*told.error);
  }
  if (is_opened) (void)need(co_await ring.control("close", of_it));
  co_return json(200, answer);
}

Answered hold(Ring ring, std::string name, std::string what) {
  Value wish = Value::Map{{"scope", "project:" + name}};
  co_return json(200, need(co_await ring.control(std::move(what), std::move(wish))));
}

}  // namespace

void add_projects(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  const auto submit = net::Role::kSubmit;
  routes.add({"GET", "/projects", net::Role::kObserve, Reach::kWithin,
              [of](Exchange& exchange) { return list(of->ring(exchange)); }});
  routes.add({"GET", kProject, net::Role::kObserve, Reach::kWithin,
              [of](Exchange& exchange) { return show(of->ring(exchange), name_of(exchange)); }});
  routes.add({"POST", "/projects/{name}/open", submit, Reach::kWithin,
              [of](Exchange& exchange) { return open(of->ring(exchange), exchange); }});
  routes.add({"POST", "/projects/{name}/close", submit, Reach::kWithin, [of](Exchange& exchange) {
                return end(of->ring(exchange), name_of(exchange), "close");
              }});
  routes.add({"POST", "/projects/{name}/cancel", submit, Reach::kWithin, [of](Exchange& exchange) {
                return end(of->ring(exchange), name_of(exchange), "cancel");
              }});
  routes.add({"POST", "/projects/{name}/retry", submit, Reach::kWithin,
              [of](Exchange& exchange) { return retry(of->ring(exchange), name_of(exchange)); }});
  routes.add(
      {"POST", "/projects/{name}/pause", net::Role::kAdmin, Reach::kWithin,
       [of](Exchange& exchange) { return hold(of->ring(exchange), name_of(exchange), "pause"); }});
  routes.add(
      {"POST", "/projects/{name}/resume", net::Role::kAdmin, Reach::kWithin,
       [of](Exchange& exchange) { return hold(of->ring(exchange), name_of(exchange), "resume"); }});
}

}  // namespace eole::gateway
