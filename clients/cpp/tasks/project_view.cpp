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
Value eta_of(std::int64_t left, std::int64_t ended, const Value& times) {
  if (left == 0) return 0.0;
  const auto took = times["last_unix_ms"].int_or(0) - times["first_unix_ms"].int_or(0);
  if (ended < 2 || took <= 0) return {};
  return static_cast<double>(left) * static_cast<double>(took) / 1000 /
         static_cast<double>(ended - 1);
}

}  // namespace

Value project_view(const Value& live, const Value& ended) {
  const auto unsettled = sum(live, {"waiting", "queued", "running"});
  const auto settled = sum(ended, {"done", "failed", "dead", "cancelled"});
  const auto tasks = unsettled + settled;
  auto state = live["state"].text_or("open");
  if (unsettled == 0 && !is_true(live["is_opened"])) state = "over";
  // What is expected of one that takes no more is what it has.
  const auto total = state == "open" ? std::max(tasks, live["expected"].int_or(0)) : tasks;
  const auto progress = total > 0 ? static_cast<double>(settled) / static_cast<double>(total)
                                  : (state == "over" ? 1.0 : 0.0);
  Value view = Value::Map{{"project", live.is_null() ? ended["project"] : live["project"]},
                          {"state", state},
                          {"tasks", tasks},
                          {"expected", live["expected"]}};
  for (const auto* name : {"waiting", "queued", "running"}) view.set(name, live[name].int_or(0));
  for (const auto* name : {"done", "failed", "dead", "cancelled"})
    view.set(name, ended[name].int_or(0));
  view.set("progress", progress);
  view.set("eta_seconds", eta_of(total - settled, settled, ended));
  return view;
}

}  // namespace eole::client
