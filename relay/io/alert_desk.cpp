#include "relay/io/alert_desk.hpp"

#include <utility>

#include "clients/cpp/blocking/submitter.hpp"
#include "common/base/text.hpp"

namespace eole::relay {

using protocol::Value;

namespace {

constexpr Duration kPatience = 2s;

Expected<std::vector<GroupLag>> lags(client::Requests& sink) {
  std::vector<GroupLag> all;
  for (Value after = "";;) {
    const auto page = sink.query("groups", {}, Value::Map{{"after", after}}, kPatience);
    if (!page) return page.error();
    if (const auto* groups = (*page)["groups"].as<Value::Array>())
      for (const auto& each : *groups) {
        const auto* seconds = each["lag_seconds"].as<double>();
        all.push_back({each["group"].text_or(""),
                       seconds == nullptr ? each["lag_seconds"].int_or(0)
                                          : static_cast<std::int64_t>(*seconds),
                       static_cast<std::uint64_t>(each["lag_records"].int_or(0))});
      }
    after = (*page)["next"];
    if (after.is_null()) return all;
  }
}

std::string key_of(const AlertChange& change) {
  return text("alert/", change.rule, "/", change.lag.group, "/", change.since_unix_ms, "/",
              change.is_raised ? "raised" : "cleared");
}

}  // namespace

Expected<void> AlertDesk::turn(client::Requests& ventilator, client::Requests& sink,
                               std::int64_t unix_ms) {
  const auto alerts = ventilator.query("alerts", {}, {}, kPatience);
  if (!alerts) return alerts.error();
  const auto kept = ventilator.query("raised", {}, {}, kPatience);
  if (!kept) return kept.error();
  const auto groups = lags(sink);
  if (!groups) return groups.error();
  Raised raised;
  if (const auto* list = kept->as<Value::Array>())
    for (const auto& each : *list) {
      const GroupLag lag{each["group"].text_or(""), each["lag_seconds"].int_or(0),
                         static_cast<std::uint64_t>(each["lag_records"].int_or(0))};
      const AlertChange known{each["alert"].text_or(""), lag, true, each["since"].int_or(0)};
      raised[{known.rule, lag.group}] = known.since_unix_ms;
      if (told_.contains(key_of(known))) continue;
      // Of an earlier life of this: perhaps it was not told. Refused: it was, with another command.
      if (auto told = tell(known, *alerts); !told && told.error().is_silence()) return told;
      told_.insert(key_of(known));
    }
  Expected<void> all;
  for (const auto& each : judge(rules_of(*alerts), *groups, raised, unix_ms)) {
    if (auto changed = change(each, *alerts, ventilator); !changed) all = changed;
    if (!all && all.error().is_silence()) break;  // One that is refused keeps nobody else's back.
  }
  return all;
}

// What is raised is kept before it is told, and forgotten after its end was.
Expected<void> AlertDesk::change(const AlertChange& change, const Value& alerts,
                                 client::Requests& ventilator) {
  const auto keep = [&](const char* state) -> Expected<void> {
    const Value wish = Value::Map{{"name", text(change.rule, " of ", change.lag.group)},
                                  {"state", state},
                                  {"alert", change.rule},
                                  {"group", change.lag.group},
                                  {"lag_seconds", change.lag.seconds},
                                  {"lag_records", change.lag.records},
                                  {"since", change.since_unix_ms}};
    const auto kept = ventilator.ask(protocol::Control{0, "raised", wish.to_msgpack()}, kPatience);
    return kept ? Expected<void>() : Expected<void>(kept.error());
  };
  if (change.is_raised)
    if (auto kept = keep("added"); !kept) return kept;
  if (auto told = tell(change, alerts); !told) return told;
  return change.is_raised ? Expected<void>() : keep("removed");
}

Expected<void> AlertDesk::tell(const AlertChange& change, const Value& alerts) {
  Value news = Value::Map{{"type", change.is_raised ? "eole.lag.raised" : "eole.lag.cleared"},
                          {"alert", change.rule},
                          {"group", change.lag.group},
                          {"since", change.since_unix_ms}};
  if (change.is_raised) {  // Said again it must be the same: what is left when it is over differs.
    news.set("lag_seconds", change.lag.seconds);
    news.set("lag_records", change.lag.records);
  }
  Value rule;
  if (const auto* list = alerts.as<Value::Array>())
    for (const auto& alert : *list)
      if (alert["name"].text_or("") == change.rule) rule = alert;
  // Of a tenant's rule it is a task of that tenant.
  const auto project = text(rule["within"].text_or(""), "alerts");
  client::Submitter submitter(context_, cluster_, {.key = key_of(change)},
                              [](Origin, Seq, std::uint32_t) {});
  if (auto added = submitter.add({"echo", project}, news.to_msgpack()); !added) return added;
  if (!rule["command"].is_null()) {
    const Value args = Value::Map{{"argv", rule["command"]}, {"stdin", news.to_json() + "\n"}};
    if (auto added = submitter.add({"exec", project}, args.to_msgpack()); !added) return added;
  }
  auto finished = submitter.finish();
  if (finished && change.is_raised) told_.insert(key_of(change));
  return finished;
}

}  // namespace eole::relay
