#include <algorithm>
#include <array>
#include <optional>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// What people want to hold from now on. Each control says how it shall be, so it may be repeated.
namespace eole::ventilator {

using protocol::Value;

/// One line for each.
struct Core::Control {
  std::string_view what;
  bool is_operators;
  Expected<Value> (*grant)(Core& core, const Value& options, TimePoint now, Actions& out);
};

const Core::Control* Core::find_control(std::string_view what) {
  static constexpr auto kControls = std::to_array<Control>({
      {"pause", true,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_pause(options, true, out);
       }},
      {"limit", true,
       [](Core& core, const Value& options, TimePoint now, Actions& out) {
         return core.control_limit(options, now, out);
       }},
      {"schedule", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_schedule(options, out);
       }},
      {"resume", true,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_pause(options, false, out);
       }},
      {"open", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_open(options, out);
       }},
      {"close", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_close(options, out);
       }},
      {"cancel", false,
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

// What was answered to the control with this id; nothing if it was not heard.
std::optional<Bytes> answer_before(const Wishes& wishes, const char* list, const std::string& id) {
  const auto* kept = id.empty() ? nullptr : wishes.find(list, id);
  if (kept == nullptr || planted("late-control-taken-for-news")) return std::nullopt;
  return *kept;
}

}  // namespace

// A copy that comes late must not undo what was wished since: the last ones are known by their ids.
void Core::remember_control(const char* list, const std::string& id, const Value& answer,
                            Actions& out) {
  if (id.empty()) return;
  const auto put = [&](const std::string& which, Bytes value) {
    durable_.wishes.put(list, which, value);
    out.push_back(JournalWish{list, which, std::move(value)});
  };
  const auto oldest = durable_.wishes.first_of(list, kHeardMax);
  if (oldest && !planted("controls-known-for-ever")) put(*oldest, {});
  auto value = answer.to_msgpack();
  if (durable_.wishes.why_refused(list, id, value).empty()) put(id, std::move(value));
}

// What it wrote is durable before the answer leaves.
void Core::on(ControlAsked& event, TimePoint now, Actions& out) {
  const auto refuse = [&](std::string reason) {
    out.push_back(Reply{event.peer, protocol::Refused{event.request, std::move(reason)}});
  };
  const auto* control = find_control(event.what);
  if (control == nullptr) return refuse(text("control ", event.what, ": not known"));
  const auto id = event.options["id"].text_or("");
  const auto* list = control->is_operators ? kHeardOfOperators : kHeard;
  if (const auto answer = answer_before(durable_.wishes, list, id))
    return out.push_back(Reply{event.peer, protocol::Answer{event.request, *answer}});
  if (event.is_storage_full) return refuse("storage full: the ventilator's disk has no room");
  const auto answer = control->grant(*this, event.options, now, out);
  if (!answer) {  // What names a thing of this sort itself need not be told what it is.
    const auto& why = answer.error().message;
    return refuse(why.starts_with(event.what + " ") ? why : text(event.what, ": ", why));
  }
  remember_control(list, id, *answer, out);
  out.push_back(Reply{event.peer, protocol::Answer{event.request, answer->to_msgpack()}});
}

void Core::set_limit(const Scope& scope, const LimitWish& wish, TimePoint now) {
  if (scope.of == Scope::Of::kKey) return gates_.set_rate_of_key(scope.name, wish.rate, now);
  limits_.set_cap(scope, wish.running);
  limits_.set_rate(scope, wish.rate, now);
}

// {"scope": "kind:download", "running": 8, "rate": 20}; without either the limit is gone.
Expected<Value> Core::control_limit(const Value& options, TimePoint now, Actions& out) {
  const auto scope = parse_scope(options["scope"].text_or(""));
  if (!scope) return scope.error();
  if (scope->of == Scope::Of::kWorker) return Error{"a worker is limited by its slots"};
  const auto wish = parse_limit(options);
  if (!wish) return wish.error();
  if (scope->of == Scope::Of::kKey && wish->running > 0)
    return Error{"running: of a key one task runs at a time, so it has a rate only"};
  const auto about = to_text(*scope);
  Value limit = Value::Map{};
  if (wish->running > 0) limit.set("running", wish->running);
  if (wish->rate > 0) limit.set("rate", wish->rate);
  Bytes value = limit.as<Value::Map>()->empty() ? Bytes() : limit.to_msgpack();
  if (auto reason = durable_.wishes.why_refused("limit", about, value); !reason.empty())
    return Error{std::move(reason)};
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
  const auto about = to_text(*scope);
  if (scope->of == Scope::Of::kKey)
    return Error{text(about, ": a key has a rate, and is not paused")};
  Bytes value = is_paused ? Value(true).to_msgpack() : Bytes();
  if (auto reason = durable_.wishes.why_refused("pause", about, value); !reason.empty())
    return Error{std::move(reason)};
  const bool was_paused = limits_.pauses().is_paused(*scope);
  if (was_paused != is_paused) {
    limits_.pauses().set(*scope, is_paused);
    if (scope->of == Scope::Of::kWorker) fleet_.pause(scope->name, is_paused);
    durable_.wishes.put("pause", about, value);
    out.push_back(JournalWish{"pause", about, std::move(value)});
  }
  return Value(Value::Map{{"scope", about}, {"paused", is_paused}, {"was_paused", was_paused}});
}

}  // namespace eole::ventilator
