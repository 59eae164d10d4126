#include "ventilator/core/wish_controls.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/base/topics.hpp"
#include "common/base/within.hpp"
#include "ventilator/core/tenancy.hpp"

namespace eole::ventilator {

using protocol::Value;

void WishControls::keep(const std::string& what, const std::string& about, Bytes value,
                        Actions& out) {
  wishes_.put(what, about, value);
  out.push_back(JournalWish{what, about, std::move(value)});
}

Expected<Value> WishControls::limit(const Value& options, TimePoint now, Actions& out) {
  const auto scope = parse_scope(options["scope"].text_or(""));
  if (!scope) return scope.error();
  const auto wish = parse_limit(*scope, options);
  if (!wish) return wish.error();
  const auto about = to_text(*scope);
  Value limit = Value::Map{};
  for (const auto& [name, count] :
       {std::pair("running", wish->running), std::pair("queued", wish->queued),
        std::pair("bytes", wish->bytes)})
    if (count > 0) limit.set(name, count);
  if (wish->rate > 0) limit.set("rate", wish->rate);
  Bytes value = limit.as<Value::Map>()->empty() ? Bytes() : limit.to_msgpack();
  if (auto why = wishes_.why_refused("limit", about, value)) return *why;
  if (scope->of == Scope::Of::kKey) {
    gates_.set_rate_of_key(scope->name, wish->rate, now);
  } else {
    limits_.set(*scope, *wish, now);
  }
  keep("limit", about, std::move(value), out);
  limit.set("scope", about);
  return limit;
}

Expected<Value> WishControls::pause(const Value& options, bool is_paused, Actions& out) {
  const auto scope = parse_scope(options["scope"].text_or(""));
  if (!scope) return scope.error();
  if (scope->of == Scope::Of::kTenant)
    return Error{"a tenant has limits, and its projects are paused one by one"};
  const auto about = to_text(*scope);
  if (scope->of == Scope::Of::kKey)
    return Error{text(about, ": a key has a rate, and is not paused")};
  Bytes value = is_paused ? Value(true).to_msgpack() : Bytes();
  if (auto why = wishes_.why_refused("pause", about, value)) return *why;
  const bool was_paused = limits_.pauses().is_paused(*scope);
  if (was_paused != is_paused) {
    limits_.pauses().set(*scope, is_paused);
    if (scope->of == Scope::Of::kWorker) fleet_.pause(scope->name, is_paused);
    keep("pause", about, std::move(value), out);
  }
  return Value(Value::Map{{"scope", about}, {"paused", is_paused}, {"was_paused", was_paused}});
}

Expected<Value> WishControls::declare(const std::string& what, const Value& options, Actions& out) {
  const auto name = options["name"].text_or("");
  const auto state = options["state"].text_or("");
  if (name.empty()) return Error{"its name is missing"};
  if (state != "added" && state != "removed")
    return Error{text(what, " ", name, ": state ", state, ": is added or removed")};
  const Within within(options["within"].text_or(""));
  if (what == "alert" && state == "added" && !within.has(options["group"].text_or("")))
    return Error{text("alert ", name, ": group ", options["group"].text_or(""), ": is not within ",
                      within.prefix()),
                 ErrorCode::kOutside};
  if (what == "chain" && state == "added")
    if (const auto from = TopicPattern::parse(options["from"].text_or("")); !from)
      return Error{text("chain ", name, ": from: ", from.error().message)};
  // What a `$` puts there is known once a notification has it.
  const auto project = options["task"]["project"].text_or("");
  if (what == "chain" && state == "added" && !project.starts_with('$'))
    if (auto why = why_outside(within, project))
      return Error{text("chain ", name, ": ", why->message), why->code};
  const bool was_there = wishes_.find(what, name) != nullptr;
  Value told = Value::Map{{"name", name}};
  for (const auto& [word, value] : *options.as<Value::Map>())
    if (word != "id" && word != "name" && word != "state") told.set(word, value);
  Bytes value = state == "added" ? told.to_msgpack() : Bytes();
  if (auto why = wishes_.why_refused(what, name, value)) return *why;
  keep(what, name, std::move(value), out);
  told.set("was_there", was_there);
  return told;
}

}  // namespace eole::ventilator
