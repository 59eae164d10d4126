#include "clients/cpp/tasks/schedule_view.hpp"

#include "common/base/durations.hpp"

namespace eole::client {

using protocol::Value;

Value time_view(const Value& unix_ms) {
  const auto* time = unix_ms.as<std::int64_t>();
  return time == nullptr ? Value() : Value(show_time(*time));
}

Value schedule_view(const Value& schedule) {
  Value out = Value::Map{{"name", schedule["name"]},
                         {"next", time_view(schedule["next"])},
                         {"last", time_view(schedule["last"])},
                         {"fired", schedule["fired"].int_or(0)},
                         {"paused", schedule["paused"] == Value(true)},
                         {"missed", schedule["missed"]}};
  for (const auto* name : {"cron", "zone", "every_ms", "last_error"})
    if (!schedule[name].is_null()) out.set(name, schedule[name]);
  if (!schedule["last_error"].is_null()) out.set("tried_again", time_view(schedule["tried_again"]));
  return out;
}

}  // namespace eole::client
