#include "cli/ledger/views.hpp"

#include <algorithm>

#include "cli/lookup.hpp"
#include "clients/cpp/tasks/project_view.hpp"

namespace eole::cli::ledger {

namespace {

constexpr std::size_t kLookedAtMost = 10 * kListedMost;  // Others' tasks among them.

// A line for each, so that git shows which has changed.
std::string lines_of(const Value::Array& list) {
  std::string out;
  for (const auto& each : list) out += (out.empty() ? "[" : ",\n ") + each.to_json();
  return out.empty() ? "[]\n" : out + "]\n";
}

std::string file_of(const Value& list, std::initializer_list<const char*> members = {}) {
  Value::Array out;
  if (const auto* all = list.as<Value::Array>())
    for (const auto& one : *all) {
      if (members.size() == 0) {
        out.push_back(one);
        continue;
      }
      Value kept = Value::Map{};
      for (const auto* name : members)
        if (!one[name].is_null()) kept.set(name, one[name]);
      out.push_back(std::move(kept));
    }
  std::sort(out.begin(), out.end(),
            [](const Value& one, const Value& other) { return one.to_json() < other.to_json(); });
  return lines_of(out);
}

Value groups_of(Cluster& cluster) {
  Value::Array all;
  Value options = Value::Map{};
  while (true) {
    const auto page = need(cluster.sink.query("groups", {}, options));
    if (const auto* list = page["groups"].as<Value::Array>())
      all.insert(all.end(), list->begin(), list->end());
    if (page["next"].is_null()) return all;
    options.set("after", page["next"]);
  }
}

}  // namespace

// Not how far things are: that would change with every task.
Files config_files(Cluster& cluster) {
  const auto ask = [&](const char* what) { return need(cluster.ventilator.query(what)); };
  return {{"limits.json", file_of(ask("limits"))},
          {"pauses.json", file_of(ask("status")["paused"])},
          {"kinds.json", file_of(ask("kinds"))},
          {"chains.json", file_of(ask("chains"))},
          {"alerts.json", file_of(ask("alerts"))},
          {"schedules.json",
           file_of(ask("schedules"), {"name", "cron", "zone", "every_ms", "missed", "paused"})},
          {"groups.json", file_of(groups_of(cluster), {"group", "partitions"})}};
}

Value::Array listed_tasks(Cluster& cluster, const IsWanted& is_wanted) {
  Value::Array tasks;
  std::size_t looked_at = 0;
  each_task(cluster, Value::Map{}, [&](const Value& task) {
    if (is_wanted(task["project"].text_or(""))) tasks.push_back(task);
    return tasks.size() < kListedMost && ++looked_at < kLookedAtMost;
  });
  return tasks;
}

Files ProjectViews::look(Cluster& cluster, std::set<std::string> touched) {
  std::map<std::string, Value> live;
  each_project(cluster.ventilator, [&](const Value& project) {
    const auto name = project["project"].text_or("");
    if (is_wanted_(name)) live.emplace(name, project);
    return true;
  });
  for (const auto& [name, view] : live)
    if (const auto before = live_.find(name); before == live_.end() || before->second != view)
      touched.insert(name);
  for (const auto& [name, view] : live_)
    if (!live.contains(name)) touched.insert(name);
  if (is_first_)  // Whatever has happened since the last commit.
    each_project(cluster.sink, [&](const Value& project) {
      if (const auto name = project["project"].text_or(""); is_wanted_(name)) touched.insert(name);
      return true;
    });
  Files files;
  for (const auto& name : touched) {
    if (name.empty()) continue;  // Tasks without one are tracked by nobody.
    const auto ended = need(cluster.sink.query("project", {}, Value::Map{{"project", name}}));
    const auto found = live.find(name);
    const auto of_live = found == live.end() ? Value() : found->second;
    if (of_live.is_null() && ended.is_null()) continue;
    files.emplace(project_path(name), client::project_view(of_live, ended).to_json() + "\n");
  }
  is_first_ = false;
  live_ = std::move(live);
  return files;
}

}  // namespace eole::cli::ledger
