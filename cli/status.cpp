#include <algorithm>
#include <thread>

#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "cli/worker_view.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(20);
constexpr std::int64_t kSoonMs = 60'000;  // A log that goes in turns is never full for longer.

// `is_last`: nothing came of it but how the task ended, which is told with it.
void print_attempt(const Value& attempt, bool is_last) {
  auto state = attempt["state"].text_or("");
  if (is_last && state == "retrying") state = "failed";
  if (state == "copy") state = text("copy, ", attempt["ended"].text_or(""));
  auto line = text("  attempt ", attempt["attempt"].int_or(0), "  ", coloured_state(state));
  if (const auto worker = attempt["worker"].text_or(""); !worker.empty())
    line += "  on " + shown(worker);
  if (const auto finished = attempt["finished"].text_or(""); !finished.empty())
    line += "  " + shown(finished);
  const auto* ran = attempt["run_seconds"].as<double>();
  if (ran != nullptr && *ran > 0) line += "  ran " + human_seconds(*ran);
  if (const auto error = attempt["error"].text_or(""); !error.empty()) line += "  " + shown(error);
  std::puts(line.c_str());
}

Value cluster_status(Cluster& cluster) {
  const auto ventilator = need(cluster.ventilator.query("status"));
  const auto sink = need(cluster.sink.query("status"));
  const auto workers = need(cluster.ventilator.query("workers"));
  Value::Array roles;
  const auto* is_introduced = ventilator["introduced"].as<bool>();
  const bool is_ready = is_introduced != nullptr && *is_introduced;
  roles.push_back(Value::Map{{"role", "ventilator"},
                             {"name", ventilator["origin"]},
                             {"pid", ventilator["pid"]},
                             {"state", is_ready ? "ready" : "waiting for the sink"}});
  roles.push_back(Value::Map{
      {"role", "sink"}, {"name", sink["log"]}, {"pid", sink["pid"]}, {"state", "ready"}});
  if (const auto* list = workers.as<Value::Array>())
    roles.insert(roles.end(), list->begin(), list->end());
  Value status = Value::Map{};
  for (const auto* name : {"accepted", "queued", "running"}) status.set(name, ventilator[name]);
  for (const auto* name : {"settled", "done", "failed", "dead", "cancelled", "head"})
    status.set(name, sink[name]);
  status.set("paused", ventilator["paused"]);
  status.set("journal_bytes", ventilator["journal_bytes"]);
  status.set("journal_syncs", ventilator["journal_syncs"]);
  for (const auto* name :
       {"log_bytes", "log_disk_bytes", "log_kept_from", "log_oldest_unix_ms", "log_keep_days",
        "log_keep_bytes", "log_days_left", "log_not_kept_for", "log_held_by", "log_full"})
    status.set(name, sink[name]);
  status.set("log_syncs", sink["log_syncs"]);
  for (const auto* name :
       {"artifacts", "artifact_bytes", "artifacts_collected", "artifact_bytes_collected"})
    status.set(name, sink[name]);
  if (!ventilator["within"].is_null()) status.set("within", ventilator["within"]);
  status.set("roles", std::move(roles));
  return status;
}

std::size_t ready_workers(const Value& status) {
  const auto& roles = *status["roles"].as<Value::Array>();
  return static_cast<std::size_t>(std::count_if(roles.begin(), roles.end(), [](const Value& role) {
    return role["role"].text_or("") == "worker" && role["state"].text_or("") == "ready";
  }));
}

// How far back the log goes, and how far it will.
std::string log_line(const Value& status) {
  const auto bytes = [&](const char* name) {
    return human_bytes(static_cast<double>(status[name].int_or(0)));
  };
  auto line = text(bytes("log_bytes"), " from offset ", status["log_kept_from"].int_or(0));
  if (const auto oldest = status["log_oldest_unix_ms"].int_or(0); oldest > 0)
    line += text(", ", human_age(process::unix_ms() - oldest), " back");
  const auto keep_days = status["log_keep_days"].int_or(0);
  line +=
      text("; kept: ", keep_days, keep_days == 1 ? " day, " : " days, ", bytes("log_keep_bytes"));
  if (const auto* days = status["log_days_left"].as<double>()) {
    const auto left = static_cast<std::int64_t>(std::min(*days, 1e6) * 86'400'000);
    line += left < kSoonMs ? ", at its size: the oldest go" : text(", full in ", human_age(left));
  }
  if (const auto* gone = status["log_not_kept_for"].as<Value::Array>())
    for (const auto& origin : *gone)
      line += text("; not for ventilator ", shown(origin.text_or("")), ", silent for an hour");
  if (const auto* groups = status["log_held_by"].as<Value::Array>())
    for (const auto& group : *groups)
      line += text("; held for group ", shown(group.text_or("")), ", which has not read it");
  const auto* is_full = status["log_full"].as<bool>();
  return is_full != nullptr && *is_full ? line + "; the disk is full" : line;
}

// Of a worker: its runners that cannot start.
void print_broken(const Value& worker) {
  if (const auto* broken = worker["broken"].as<Value::Array>())
    for (const auto& each : *broken)
      std::printf("%10s cannot start: %s\n", "", shown(each["problem"].text_or("")).c_str());
}

void print_status(const Value& status) {
  for (const auto* name :
       {"accepted", "queued", "running", "settled", "done", "failed", "dead", "cancelled"})
    std::printf("%-10s %lld\n", name, static_cast<long long>(status[name].int_or(0)));
  if (const auto* paused = status["paused"].as<Value::Array>())
    for (const auto& scope : *paused)
      std::printf("%-10s %s\n", "paused", shown(scope.text_or("")).c_str());
  const auto bytes = [&](const char* name) {
    return human_bytes(static_cast<double>(status[name].int_or(0)));
  };
  if (const auto within = status["within"].text_or(""); !within.empty()) {
    std::printf("%-10s %s\n\n", "within", shown(within).c_str());
  } else {
    std::printf("%-10s journal %s, log %s\n", "disk", bytes("journal_bytes").c_str(),
                bytes("log_disk_bytes").c_str());
    std::printf("%-10s %s\n", "log", log_line(status).c_str());
    std::printf("%-10s %lld kept, %s; %lld collected, %s, since the sink's start\n\n", "artifacts",
                static_cast<long long>(status["artifacts"].int_or(0)),
                bytes("artifact_bytes").c_str(),
                static_cast<long long>(status["artifacts_collected"].int_or(0)),
                bytes("artifact_bytes_collected").c_str());
  }
  for (const auto& role : *status["roles"].as<Value::Array>()) {
    std::printf("%-10s %-18s pid %-8lld %s\n", shown(role["role"].text_or("")).c_str(),
                shown(role["name"].text_or("")).c_str(),
                static_cast<long long>(role["pid"].int_or(0)),
                coloured_state(role["state"].text_or("")).c_str());
    print_broken(role);
  }
}

void show(const Value& status, const Globals& globals) {
  globals.json ? print_json(status) : print_status(status);
}

// Asks until `workers` workers are ready; the supervisor's way to know that a task would run.
int wait_for_workers(const Globals& globals, std::size_t workers) {
  Cluster cluster(globals);
  while (true) {
    const auto status = cluster_status(cluster);
    const auto& roles = *status["roles"].as<Value::Array>();
    if (roles[0]["state"].text_or("") == "ready" && ready_workers(status) >= workers) {
      show(status, globals);
      return kDone;
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

void print_worker(const Value& worker) {
  const auto state = worker["state"].text_or("");
  const bool is_paused = state == "ready" && worker["paused"] == Value(true);
  std::printf("%-18s pid %-8lld %-8s %3lld slots %6lld held  %s  %s\n",
              shown(worker["name"].text_or("")).c_str(),
              static_cast<long long>(worker["pid"].int_or(0)),
              coloured_state(is_paused ? "paused" : state).c_str(),
              static_cast<long long>(worker["slots"].int_or(0)),
              static_cast<long long>(worker["held"].int_or(0)),
              shown(worker["kinds"].text_or("")).c_str(), offers_shown(worker).c_str());
  print_broken(worker);
}

}  // namespace

int show_task(const Globals& globals, const std::string& written) {
  Cluster cluster(globals);
  const auto id = need_id(written);
  auto view = look_up(cluster, id);
  auto attempts = attempts_of(cluster, id);
  if (globals.json) {
    view.set("attempts", std::move(attempts));
    print_json(view);
    return kDone;
  }
  if (is_settled(view)) {
    print_result(view);
  } else {
    const auto worker = view["worker"].text_or("");
    std::printf("%s  %s  attempt %lld%s%s\n", written.c_str(),
                coloured_state(view["state"].text_or("")).c_str(),
                static_cast<long long>(view["attempt"].int_or(0)), worker.empty() ? "" : "  on ",
                shown(worker).c_str());
    if (const auto* why = view["why"].as<Value::Array>())
      for (const auto& each : *why) std::printf("  %s\n", shown(each["text"].text_or("")).c_str());
  }
  for (const auto& attempt : attempts)
    print_attempt(attempt, attempt["attempt"].int_or(0) == attempts.back()["attempt"].int_or(0));
  print_reasons(view, attempts);
  return kDone;
}

void add_status(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("status", "Show the cluster, or one task with its attempts");
  auto id = std::make_shared<std::string>();
  auto workers = std::make_shared<std::size_t>(0);
  command->add_option("id", *id, "a task");
  command->add_option("--until-workers", *workers, "wait until this many workers are ready")
      ->check(whole_number(0, kCountMax));
  auto bounds = std::make_shared<bool>(false);
  command->add_flag("--bounds", *bounds,
                    "every bound, what happens beyond it, and what is used now");
  command->add_flag("--json", globals.json, "one JSON object; of each bound, one a line");
  command->footer(
      "Examples:\n"
      "  eole status                the cluster: counts, disks, roles and their processes\n"
      "  eole status k3f9qz-17      a task: state, and each attempt with its worker, when it\n"
      "                             ended, how long it ran and why it failed\n"
      "Exit codes: 0 shown, 1 no such task, 2 bad input, 3 no answer.");
  command->callback([id, workers, bounds, &globals] {
    if (*bounds) return show_bounds(globals);
    if (!id->empty()) {
      globals.exit_code = show_task(globals, *id);
      return;
    }
    if (*workers > 0) {
      globals.exit_code = wait_for_workers(globals, *workers);
      return;
    }
    Cluster cluster(globals);
    show(cluster_status(cluster), globals);
  });
}

void add_workers(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("workers", "List the connected workers");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->callback([&globals] {
    Cluster cluster(globals);
    const auto workers = need(cluster.ventilator.query("workers"));
    for (const auto& worker : *workers.as<Value::Array>())
      globals.json ? print_json(worker) : print_worker(worker);
  });
}

}  // namespace eole::cli
