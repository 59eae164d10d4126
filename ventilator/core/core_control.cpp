#include <algorithm>
#include <array>
#include <optional>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/refusal.hpp"
#include "ventilator/core/core.hpp"
#include "ventilator/core/tenancy.hpp"

// What people want to hold from now on. Each control says how it shall be, so it may be repeated.
namespace eole::ventilator {

using protocol::Value;

/// One line for each.
struct Core::Control {
  std::string_view what;
  std::string_view about;  // The option that says what it is about.
  bool is_operators;
  Expected<Value> (*grant)(Core& core, const Value& options, TimePoint now, Actions& out);
};

const Core::Control* Core::find_control(std::string_view what) {
  static constexpr auto kControls = std::to_array<Control>({
      {"pause", "scope", true,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_pause(options, true, out);
       }},
      {"limit", "scope", true,
       [](Core& core, const Value& options, TimePoint now, Actions& out) {
         return core.control_limit(options, now, out);
       }},
      {"schedule", "name", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_schedule(options, out);
       }},
      {"chain", "name", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_declare("chain", options, out);
       }},
      {"alert", "name", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_declare("alert", options, out);
       }},
      {"raised", "name", true,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_declare("raised", options, out);
       }},
      {"resume", "scope", true,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_pause(options, false, out);
       }},
      {"open", "project", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_open(options, out);
       }},
      {"close", "project", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_close(options, out);
       }},
      {"cancel", "project", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_cancel(options, out);
       }},
  });
  const auto* found = std::find_if(kControls.begin(), kControls.end(),
                                   [&](const Control& control) { return control.what == what; });
  return found == kControls.end() ? nullptr : found;
}

bool Core::is_operators(std::string_view what) {
  const auto* control = find_control(what);
  return control != nullptr && control->is_operators;
}

namespace {

// Controls of which a late copy is known as one; those of others push out none of operators'.
constexpr std::size_t kHeardMax = 256;
constexpr const char* kHeard = "heard";
constexpr const char* kHeardOfOperators = "heard_of_operators";

// What was answered to the control with this id; null if it was not heard.
const Bytes* answer_before(const Wishes& wishes, const char* list, const std::string& id) {
  const auto* kept = id.empty() ? nullptr : wishes.find(list, id);
  return planted("late-control-taken-for-news") ? nullptr : kept;
}

// An answer is a map; why it was refused is a list.
Value to_value(const Error& why) {
  return Value::Array{why.message, std::string(protocol::name_of(why.code))};
}

Reply again(const Peer& peer, std::uint64_t request, const Bytes& kept) {
  const auto value = Value::from_msgpack(kept);
  // As an earlier release kept why it was refused.
  if (const auto* reason = value ? value->as<std::string>() : nullptr)
    return {peer, protocol::refused(request, Error{*reason})};
  const auto* why = value ? value->as<Value::Array>() : nullptr;
  if (why == nullptr || why->size() < 2) return {peer, protocol::Answer{request, kept}};
  return {peer, protocol::Refused{request, (*why)[0].text_or(""), (*why)[1].text_or("")}};
}

// Of whom it is: a project, or what is named as one.
std::optional<Error> why_not_within(const Within& within, std::string_view about,
                                    const Value& options) {
  const auto said = options[about].text_or("");
  const auto scope =
      about == "scope" ? parse_scope(said) : Expected<Scope>(Scope{Scope::Of::kProject, said});
  const bool is_inside = scope && scope->of == Scope::Of::kProject && within.has(scope->name);
  if (is_inside) return {};
  return Error{text(about, " ", said, ": is not within ", within.prefix()), ErrorCode::kOutside};
}

// What its tasks may read is written into them; nothing if all is well.
std::optional<Error> why_not_bound(const Within& within, Value& options) {
  for (const auto* name : {"task", "collect"}) {
    const auto* task = options[name].as<protocol::Blob>();
    if (task == nullptr) continue;
    if (const auto count = protocol::count_grouped_tasks(task->bytes); !count)
      return count.error();
    auto bound = bound_to(within, task->bytes);
    if (!bound) return bound.error();
    options.set(name, protocol::Blob{std::move(*bound)});
  }
  return {};
}

}  // namespace

// A copy that comes late must not undo what was wished since, nor do what was refused: the last ones
// are known by their ids. What no disk has room for is known as long as this start lasts.
void Core::remember_control(const char* list, const ControlAsked& event, const Value& answer,
                            Actions& out) {
  const auto id = event.options["id"].text_or("");
  if (id.empty()) return;
  const auto put = [&](const std::string& which, Bytes value) {
    durable_.wishes.put(list, which, value);
    if (!event.is_storage_full) out.push_back(JournalWish{list, which, std::move(value)});
  };
  auto& wishes = durable_.wishes;
  while (const auto oldest = wishes.first_of(list, kHeardMax)) {
    if (planted("controls-known-for-ever")) break;
    put(*oldest, {});
  }
  auto value = answer.to_msgpack();
  if (!wishes.why_refused(list, id, value)) put(id, std::move(value));
}

// What it wrote is durable before the answer leaves.
void Core::on(ControlAsked& event, TimePoint now, Actions& out) {
  const auto* control = find_control(event.what);
  const auto* list = control != nullptr && control->is_operators ? kHeardOfOperators : kHeard;
  const auto refuse = [&](Error why) {
    if (control != nullptr && !planted("refusals-forgotten"))
      remember_control(list, event, to_value(why), out);
    out.push_back(Reply{event.peer, protocol::refused(event.request, std::move(why))});
  };
  if (control == nullptr) return refuse({text("control ", event.what, ": not known")});
  if (!event.within.is_all()) {
    event.options.set("id", event.within.own(event.options["id"].text_or("")));
    auto why = why_not_within(event.within, control->about, event.options);
    if (!why) why = why_not_bound(event.within, event.options);
    // The same each time: it takes no place among what all tenants have remembered.
    if (why) {
      why->message = text(event.what, ": ", why->message);
      return out.push_back(Reply{event.peer, protocol::refused(event.request, std::move(*why))});
    }
  }
  if (const auto* kept =
          answer_before(durable_.wishes, list, event.options["id"].text_or("")))
    return out.push_back(again(event.peer, event.request, *kept));
  if (event.is_storage_full) return refuse(no_room_on_disk());
  if (!event.within.is_all()) event.options.set("within", event.within.prefix());
  const auto answer = control->grant(*this, event.options, now, out);
  if (!answer) {  // What names a thing of this sort itself need not be told what it is.
    auto why = answer.error();
    if (!why.message.starts_with(event.what + " "))
      why.message = text(event.what, ": ", why.message);
    return refuse(std::move(why));
  }
  remember_control(list, event, *answer, out);
  out.push_back(Reply{event.peer, protocol::Answer{event.request, answer->to_msgpack()}});
}

void Core::set_limit(const Scope& scope, const LimitWish& wish, TimePoint now) {
  if (scope.of == Scope::Of::kKey) return gates_.set_rate_of_key(scope.name, wish.rate, now);
  limits_.set(scope, wish, now);
}

// {"scope": "kind:download", "running": 8, "rate": 20}; without any the limit is gone.
Expected<Value> Core::control_limit(const Value& options, TimePoint now, Actions& out) {
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
  if (auto why = durable_.wishes.why_refused("limit", about, value)) return *why;
  set_limit(*scope, *wish, now);
  durable_.wishes.put("limit", about, value);
  out.push_back(JournalWish{"limit", about, std::move(value)});
  limit.set("scope", about);
  return limit;
}

// {"scope": "project:photos"}
Expected<Value> Core::control_pause(const Value& options, bool is_paused, Actions& out) {
  const auto scope = parse_scope(options["scope"].text_or(""));
  if (!scope) return scope.error();
  if (scope->of == Scope::Of::kTenant)
    return Error{"a tenant has limits, and its projects are paused one by one"};
  const auto about = to_text(*scope);
  if (scope->of == Scope::Of::kKey)
    return Error{text(about, ": a key has a rate, and is not paused")};
  Bytes value = is_paused ? Value(true).to_msgpack() : Bytes();
  if (auto why = durable_.wishes.why_refused("pause", about, value)) return *why;
  const bool was_paused = limits_.pauses().is_paused(*scope);
  if (was_paused != is_paused) {
    limits_.pauses().set(*scope, is_paused);
    if (scope->of == Scope::Of::kWorker) fleet_.pause(scope->name, is_paused);
    durable_.wishes.put("pause", about, value);
    out.push_back(JournalWish{"pause", about, std::move(value)});
  }
  return Value(Value::Map{{"scope", about}, {"paused", is_paused}, {"was_paused", was_paused}});
}

// {"name", "state": added or removed, …}: kept as it was said, for whoever acts on it.
Expected<Value> Core::control_declare(const std::string& what, const Value& options, Actions& out) {
  const auto name = options["name"].text_or("");
  const auto state = options["state"].text_or("");
  if (name.empty()) return Error{"its name is missing"};
  if (state != "added" && state != "removed")
    return Error{text(what, " ", name, ": state ", state, ": is added or removed")};
  const Within within(options["within"].text_or(""));
  if (what == "alert" && state == "added" && !within.has(options["group"].text_or("")))
    return Error{text("alert ", name, ": group ", options["group"].text_or(""),
                      ": is not within ", within.prefix()),
                 ErrorCode::kOutside};
  const bool was_there = durable_.wishes.find(what, name) != nullptr;
  Value told = Value::Map{{"name", name}};
  for (const auto& [word, value] : *options.as<Value::Map>())
    if (word != "id" && word != "name" && word != "state") told.set(word, value);
  Bytes value = state == "added" ? told.to_msgpack() : Bytes();
  if (auto why = durable_.wishes.why_refused(what, name, value)) return *why;
  durable_.wishes.put(what, name, value);
  out.push_back(JournalWish{what, name, std::move(value)});
  told.set("was_there", was_there);
  return told;
}

}  // namespace eole::ventilator
