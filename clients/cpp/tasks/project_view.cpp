#include "clients/cpp/tasks/project_view.hpp"

#include <algorithm>

namespace eole::client {

namespace {

bool is_true(const Value& value) {
  const auto* is = value.as<bool>();
  return is != nullptr && *is;
}

std::int64_t sum(const Value& view, std::initializer_list<const char*> names) {
  std::int64_t sum = 0;
  for (const auto* name : names) sum += view[name].int_or(0);
  return sum;
}

// By the rate from the first end to the last one; null if there were no two.
Value eta_of(double left, std::int64_t ended, const Value& times) {
  if (left <= 0) return 0.0;
  const auto took = times["last_unix_ms"].int_or(0) - times["first_unix_ms"].int_or(0);
  if (ended < 2 || took <= 0) return {};
  return left * static_cast<double>(took) / 1000 / static_cast<double>(ended - 1);
}

}  // namespace

Value project_view(const Value& live, const Value& ended) {
  Value left = Value::Map{};  // Of what the ventilator told, without what ended meanwhile.
  auto since = ended["since"].int_or(0);
  for (const auto* name : {"running", "queued", "waiting"}) {
    const auto count = live[name].int_or(0);
    left.set(name, std::max<std::int64_t>(0, count - since));
    since = std::max<std::int64_t>(0, since - count);
  }
  const auto unsettled = sum(left, {"waiting", "queued", "running"});
  const auto settled = sum(ended, {"done", "failed", "dead", "cancelled"});
  const auto tasks = unsettled + settled;
  auto state = live["state"].text_or("open");
  // What ended since may have been submitted since, while another one of it still runs.
  const bool has_left = sum(live, {"waiting", "queued", "running"}) > 0;
  if (!has_left && !is_true(live["is_opened"])) state = "over";
  // What is expected of one that takes no more is what it has.
  const auto total = state == "open" ? std::max(tasks, live["expected"].int_or(0)) : tasks;
  const auto* said = ended["running_done"].as<double>();
  const auto running = left["running"].int_or(0);
  const auto done_part = static_cast<double>(settled) +
                         std::min(said == nullptr ? 0.0 : *said, static_cast<double>(running));
  const auto progress =
      total > 0 ? done_part / static_cast<double>(total) : (state == "over" ? 1.0 : 0.0);
  // For what waits, nobody knows how long: nothing has to come of the rate so far.
  const bool is_waiting = left["waiting"].int_or(0) > 0 && left["queued"].int_or(0) + running == 0;
  Value view = Value::Map{{"project", live.is_null() ? ended["project"] : live["project"]},
                          {"state", state},
                          {"tasks", tasks},
                          {"expected", live["expected"]}};
  for (const auto* name : {"waiting", "queued", "running"}) view.set(name, left[name]);
  for (const auto* name : {"done", "failed", "dead", "cancelled"})
    view.set(name, ended[name].int_or(0));
  for (const auto* name : {"first_unix_ms", "last_unix_ms"})
    view.set(name, settled > 0 ? ended[name] : Value());
  view.set("progress", progress);
  view.set("eta_seconds",
           is_waiting ? Value() : eta_of(static_cast<double>(total) - done_part, settled, ended));
  return view;
}

Value ended_options(const std::string& project, const Value& live) {
  Value options = Value::Map{{"project", project}};
  if (!live["read_to"].is_null()) options.set("since", live["read_to"]);
  return options;
}

}  // namespace eole::client
