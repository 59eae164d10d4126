#include <algorithm>
#include <array>
#include <optional>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/refusal.hpp"
#include "ventilator/core/core.hpp"
#include "ventilator/core/heard_controls.hpp"
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
         return core.wish_controls().pause(options, true, out);
       }},
      {"limit", "scope", true,
       [](Core& core, const Value& options, TimePoint now, Actions& out) {
         return core.wish_controls().limit(options, now, out);
       }},
      {"schedule", "name", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.control_schedule(options, out);
       }},
      {"chain", "name", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.wish_controls().declare("chain", options, out);
       }},
      {"alert", "name", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.wish_controls().declare("alert", options, out);
       }},
      {"raised", "name", true,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.wish_controls().declare("raised", options, out);
       }},
      {"resume", "scope", true,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.wish_controls().pause(options, false, out);
       }},
      {"open", "project", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.project_controls().open(options, out);
       }},
      {"close", "project", false,
       [](Core& core, const Value& options, TimePoint, Actions& out) {
         return core.project_controls().close(options, out);
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
    if (const auto count = protocol::count_grouped_tasks(task->bytes); !count) return count.error();
    auto bound = bound_to(within, task->bytes);
    if (!bound) return bound.error();
    options.set(name, protocol::Blob{std::move(*bound)});
  }
  return {};
}

}  // namespace

// What it wrote is durable before the answer leaves.
void Core::on(ControlAsked& event, TimePoint now, Actions& out) {
  const auto* control = find_control(event.what);
  HeardControls heard(durable_.wishes, control != nullptr && control->is_operators);
  const auto remember = [&](const Expected<Value>& answer) {
    heard.remember(event.options["id"].text_or(""), answer, event.is_storage_full, out);
  };
  const auto refuse = [&](Error why) {
    if (control != nullptr && !planted("refusals-forgotten")) remember(why);
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
  if (auto again = heard.answer_before(event.peer, event.request, event.options["id"].text_or("")))
    return out.push_back(std::move(*again));
  if (event.is_storage_full) return refuse(Admission::no_room_on_disk());
  if (!event.within.is_all()) event.options.set("within", event.within.prefix());
  const auto answer = control->grant(*this, event.options, now, out);
  if (!answer) {  // What names a thing of this sort itself need not be told what it is.
    auto why = answer.error();
    if (!why.message.starts_with(event.what + " "))
      why.message = text(event.what, ": ", why.message);
    return refuse(std::move(why));
  }
  remember(answer);
  out.push_back(Reply{event.peer, protocol::Answer{event.request, answer->to_msgpack()}});
}

}  // namespace eole::ventilator
