#include "gateway/io/cancels.hpp"

#include <map>

#include "common/base/text.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;

namespace {

constexpr std::uint64_t kCancelledMax = 1'000'000;  // By one request.

// What the query `tasks` is asked with.
Value options_in(const Value& asked) {
  Value options = Value::Map{};
  for (const auto* name : {"state", "kind", "project", "worker"})
    if (const auto said = asked[name].text_or(""); !said.empty()) options.set(name, said);
  const bool is_some = !options.as<Value::Map>()->empty();
  if ((asked["all"] == Value(true)) == is_some)
    throw Problem(400, "give state, kind, project or worker; or all: true");
  return options;
}

// Page by page: all that fit when they are come to.
awaitable<std::optional<http::Response>> cancel(Ring ring, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  using enum Member::Is;
  only(asked, {{"state", kName},
               {"kind", kName},
               {"project", kName},
               {"worker", kName},
               {"all", kFlag},
               {"dry_run", kFlag}});
  auto options = options_in(asked);
  const bool is_dry = asked["dry_run"] == Value(true);
  std::uint64_t count = 0;
  while (true) {
    const auto page = need(co_await ring.ventilator("tasks", {}, options));
    std::map<Origin, SeqRanges> found;
    if (const auto* list = page["tasks"].as<Value::Array>())
      for (const auto& task : *list)
        if (const auto id = parse_task_id(task["id"].text_or("")))
          found[id->origin].add(id->seq, id->seq);
    for (const auto& [origin, seqs] : found) {
      count += seqs.count();
      if (count > kCancelledMax)
        throw Problem(413, text("over ", kCancelledMax, " tasks, the limit: name less of them"));
      if (!is_dry) (void)need(co_await ring.cancel(origin, seqs));
    }
    if (page["next"].is_null()) break;
    options.set("after", page["next"]);
  }
  co_return json(is_dry ? 200 : 202, Value::Map{{"count", count}});
}

}  // namespace

void add_cancels(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  routes.add({"POST", "/tasks/cancel", net::Role::kSubmit, Reach::kWithin,
              [of](Exchange& exchange) { return cancel(of->ring(exchange), exchange); }});
}

}  // namespace eole::gateway
