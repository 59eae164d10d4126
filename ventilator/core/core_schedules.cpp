#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// Tasks that come again and again.
namespace eole::ventilator {

using protocol::Value;

// The task of each beat that is due: accepting it and going on to the next beat are one record.
void Core::fire_schedules(Actions& out) {
  for (const auto& due : durable_.schedules.take_due(moment_.unix_ms)) {
    Submitted event;
    event.submit.count = 1;
    event.submit.payload = due.groups;
    event.is_storage_full = moment_.is_disk_full;
    event.unix_ms = moment_.unix_ms;
    const auto admission = this->admission();
    std::set<std::string> awaited;
    auto why = admission.why_refused(event, awaited);
    if (!why) why = admission.why_limited(event);
    if (why) {
      durable_.schedules.put_off(due, moment_.unix_ms, std::move(why->message));
      continue;
    }
    project_controls().watch(awaited, out);
    const auto first = ++durable_.last;
    take(first, event.submit.payload, event.unix_ms);
    durable_.wishes.put(Schedules::kWish, due.name, durable_.schedules.fire(due));
    tell({{"fired", "schedule", due.name}}, out);
    tell_accepted(first, event.submit.payload, out);
    out.push_back(
        JournalTasks{first, "", std::move(event.submit), event.unix_ms, due.name, due.beat});
  }
}

// {"name", "state": added, running, paused or removed}; of an added one also {"cron", "zone"} or
// {"every_ms"}, "missed" and "task".
Expected<Value> Core::control_schedule(const Value& options, Actions& out) {
  auto& schedules = durable_.schedules;
  const auto name = options["name"].text_or("");
  const auto state = options["state"].text_or("");
  const auto keep = [&](Bytes wish) {
    durable_.wishes.put(Schedules::kWish, name, wish);
    out.push_back(JournalWish{Schedules::kWish, name, std::move(wish)});
  };
  if (state == "removed") {
    const bool was_there = durable_.wishes.find(Schedules::kWish, name) != nullptr;
    (void)schedules.remove(name);
    if (was_there) keep({});
    return Value(Value::Map{{"name", name}, {"was_there", was_there}});
  }
  auto wish = state == "added" ? set_up_schedule(name, options)
              : state == "paused" || state == "running"
                  ? schedules.pause(name, state == "paused", moment_.unix_ms)
                  : Error{text("state ", state, ": is added, running, paused or removed")};
  if (!wish) return wish.error();
  if (!wish->empty()) keep(std::move(*wish));
  return schedules.view(name, 0);
}

Expected<Bytes> Core::set_up_schedule(const std::string& name, const Value& options) {
  Value wish = Value::Map{{"missed", options["missed"].text_or("once")}};
  for (const auto* said : {"cron", "zone", "every_ms", "task"})
    if (!options[said].is_null()) wish.set(said, options[said]);
  auto kept = durable_.schedules.add(name, std::move(wish), moment_.unix_ms);
  if (!kept || kept->empty()) return kept;
  protocol::Submit submit;
  submit.payload = options["task"].as<protocol::Blob>()->bytes;
  submit.within = options["within"].text_or("");
  auto reason = durable_.wishes.why_refused(Schedules::kWish, name, *kept);
  std::set<std::string> awaited;
  if (!reason) reason = admission().why_groups_refused(submit, awaited);
  if (!reason) return kept;
  (void)durable_.schedules.remove(name);
  return Error{text("schedule ", name, ": ", reason->message), reason->code};
}

}  // namespace eole::ventilator
