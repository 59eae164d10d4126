#include <algorithm>
#include <array>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "cli/lookup.hpp"
#include "cli/progress.hpp"
#include "cli/top/frame.hpp"
#include "cli/top/screen.hpp"
#include "clients/cpp/blocking/log_reader.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/result_view.hpp"

// What goes on, once a second, from what the roles answer and the sink tells.
namespace eole::cli {

namespace {

constexpr Duration kRedraw = 1s;
constexpr Duration kLookEvery = 100ms;          // At keys and signals.
constexpr std::size_t kFailuresMax = 50;        // The newest.
constexpr std::size_t kProjectsMax = 1000;      // What comes later is counted with none.
constexpr std::size_t kTasksHeardMax = 10'000;  // That say how far they are, and have not ended.
constexpr std::int64_t kRunningAsked = 1000;    // One page.

/// What was heard since the begin.
class Heard {
 public:
  explicit Heard(Cluster& cluster)
      : reader_(need(client::LogReader::open(cluster.context, cluster.file, std::nullopt))) {
    reader_->watch_progress();
  }
  void hear(Duration patience) {
    const auto encoded = need(reader_->next(patience), kNoCluster);
    while (const auto progress = reader_->next_progress())
      if (progress->stream.empty() && progress_.size() < kTasksHeardMax)
        progress_[{progress->origin, progress->seq}].hear(progress->done, progress->total,
                                                          progress->text, process::now());
    if (!encoded) return;
    const auto batch = protocol::read_batch(*encoded);
    protocol::ResultReader records(batch->records);
    while (const auto result = records.next())
      if (result->is_final) take(*result, batch->worker);
  }
  /// What a task says of itself.
  TaskProgress progress_of(const TaskId& id) const {
    const auto found = progress_.find(id);
    return found == progress_.end() ? TaskProgress() : found->second;
  }
  struct Counts {
    TasksProgress progress;  // Of those that run.
    std::int64_t running = 0;
    std::int64_t done = 0;
    std::int64_t failed = 0;
  };
  const std::map<std::string, Counts>& projects() const { return projects_; }
  const std::deque<Value>& failures() const { return failures_; }  // The newest first.

 private:
  void take(const protocol::ResultRecord& result, std::string_view worker) {
    progress_.erase(result.id);
    const std::string name(result.project);
    const bool is_known = projects_.contains(name) || projects_.size() < kProjectsMax;
    auto& project = projects_[is_known ? name : ""];
    const bool is_done = result.state == protocol::TaskState::kDone;
    ++(is_done ? project.done : project.failed);
    if (is_done) return;
    const auto view = protocol::view_of(result, worker, protocol::kNoOffset);
    failures_.push_front(Value::Map{});
    for (const auto* member : {"id", "kind", "project", "state", "worker", "error", "finished"})
      failures_.front().set(member, view[member]);
    if (failures_.size() > kFailuresMax) failures_.pop_back();
  }
  std::unique_ptr<client::LogReader> reader_;
  std::map<TaskId, TaskProgress> progress_;
  std::map<std::string, Counts> projects_;
  std::deque<Value> failures_;
};

/// Rates, from one look to the next.
class Rates {
 public:
  void look(const Value& snapshot, TimePoint now) {
    for (const auto* name : {"accepted", "settled", "failed"}) {
      auto& rate = rates_[name];
      const auto count = snapshot[name].int_or(0) +
                         (std::string_view(name) == "failed" ? snapshot["dead"].int_or(0) : 0);
      const auto seconds = std::chrono::duration<double>(now - looked_).count();
      if (looked_ != TimePoint{} && seconds > 0)
        rate.rate = std::max(0.0, static_cast<double>(count - rate.count) / seconds);
      rate.count = count;
    }
    looked_ = now;
  }
  void tell(Value& snapshot) const {
    Value told = Value::Map{};
    for (const auto& [name, rate] : rates_) told.set(name, rate.rate ? Value(*rate.rate) : Value());
    const auto settled = rates_.at("settled").rate.value_or(0);
    const auto left = snapshot["queued"].int_or(0) + snapshot["running"].int_or(0);
    snapshot.set("rates", std::move(told));
    snapshot.set("eta_seconds",
                 settled > 0 && left > 0 ? Value(static_cast<double>(left) / settled) : Value());
  }

 private:
  struct Rate {
    std::int64_t count = 0;
    std::optional<double> rate;
  };
  std::map<std::string, Rate> rates_;
  TimePoint looked_{};
};

// As a clock on this wall shows it.
std::string clock_of(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 16> out{};
  std::strftime(out.data(), out.size(), "%H:%M:%S", &parts);
  return out.data();
}

// The tasks that run, the oldest first, with what they say of themselves.
Value::Array running(const Value& answer, const Heard& heard) {
  Value::Array tasks;
  const auto now = process::unix_ms();
  if (const auto* list = answer["tasks"].as<Value::Array>())
    for (const auto& each : *list) {
      auto task = each;
      task.set("age_seconds", static_cast<double>(now - each["submitted"].int_or(now)) / 1000);
      if (const auto id = parse_task_id(each["id"].text_or("")))
        task.set("progress", heard.progress_of(*id).text());
      tasks.push_back(std::move(task));
    }
  return tasks;
}

Value snapshot_of(Cluster& cluster, const Heard& heard) {
  const auto ventilator = need(cluster.ventilator.query("status"), kNoCluster);
  const auto sink = need(cluster.sink.query("status"), kNoCluster);
  const auto workers = need(cluster.ventilator.query("workers"), kNoCluster);
  const auto answer = need(cluster.ventilator.query(
      "tasks", {}, Value::Map{{"state", "running"}, {"most", kRunningAsked}}));
  Value snapshot = Value::Map{};
  const auto now = process::unix_ms();
  snapshot.set("unix_ms", now);
  snapshot.set("time", clock_of(now));
  snapshot.set("ventilator", ventilator["origin"]);
  const auto* is_introduced = ventilator["introduced"].as<bool>();
  snapshot.set("state",
               is_introduced != nullptr && *is_introduced ? "ready" : "waiting for the sink");
  for (const auto* name : {"accepted", "queued", "running"}) snapshot.set(name, ventilator[name]);
  for (const auto* name : {"settled", "done", "failed", "dead", "cancelled"})
    snapshot.set(name, sink[name]);
  snapshot.set("journal_bytes", ventilator["journal_bytes"]);
  snapshot.set("log_bytes", sink["log_bytes"]);
  auto tasks = running(answer, heard);
  auto projects = heard.projects();
  std::map<std::string, std::int64_t> of_workers;
  for (const auto& task : tasks) {
    auto& project = projects[task["project"].text_or("")];
    ++project.running;
    project.progress.add(heard.progress_of(need_id(task["id"].text_or(""))));
    ++of_workers[task["worker"].text_or("")];
  }
  Value::Array workers_told;
  if (const auto* list = workers.as<Value::Array>())
    for (auto worker : *list) {
      worker.set("running", of_workers[worker["name"].text_or("")]);
      workers_told.push_back(std::move(worker));
    }
  Value::Array projects_told;
  for (const auto& [name, counts] : projects)
    projects_told.push_back(Value::Map{{"project", name},
                                       {"running", counts.running},
                                       {"done", counts.done},
                                       {"failed", counts.failed},
                                       {"progress", counts.progress.text()}});
  snapshot.set("workers", std::move(workers_told));
  snapshot.set("projects", std::move(projects_told));
  snapshot.set("tasks", std::move(tasks));
  snapshot.set("failures", Value::Array(heard.failures().begin(), heard.failures().end()));
  return snapshot;
}

// Hears what is told until it is time to look again; false: somebody wants to leave.
bool wait(Heard& heard, Screen* screen, process::StopSignal& stop, TimePoint until) {
  while (process::now() < until) {
    end_if_unread();
    if (stop.take() > 0) return false;
    if (screen != nullptr && screen->key() == 'q') return false;
    heard.hear(std::min(kLookEvery, until - process::now()));
  }
  return true;
}

void top(const Globals& globals, bool is_once) {
  Cluster cluster(globals);
  Heard heard(cluster);
  Rates rates;
  process::StopSignal stop;
  std::optional<Screen> screen;
  const bool is_live = !is_once && !globals.json && is_terminal(1);
  if (is_live) screen.emplace();
  while (true) {
    const auto begun = process::now();
    auto snapshot = snapshot_of(cluster, heard);
    rates.look(snapshot, begun);
    rates.tell(snapshot);
    if (globals.json)
      print_json(snapshot);
    else if (is_live)
      screen->show(top_frame(snapshot, Screen::columns(), Screen::rows(),
                             std::getenv("NO_COLOR") == nullptr));
    else
      std::fputs(top_frame(snapshot, Screen::columns(), Screen::rows(), false).c_str(), stdout);
    flush_output();
    if (is_once || !wait(heard, is_live ? &*screen : nullptr, stop, begun + kRedraw)) return;
    if (!globals.json && !is_live) std::fputs("\n", stdout);
  }
}

}  // namespace

void add_top(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("top", "Show what goes on, live: rates, workers, what fails");
  auto is_once = std::make_shared<bool>(false);
  command->add_flag("--once", *is_once, "one frame, without colours, and end");
  command->add_flag("--json", globals.json,
                    "one JSON object a second, or with --once a single one");
  command->footer(
      "Anew every second: how many tasks wait, run and have ended, how fast; the workers with "
      "their "
      "slots; the projects, with what has ended since it is shown; the tasks that run, with what "
      "they say of themselves; the last that failed, and why. q or Ctrl-C leaves. A screen of 80 "
      "columns and 24 lines is enough; what finds no room is counted. Colours only on a terminal, "
      "and without NO_COLOR.\n"
      "Examples:\n"
      "  eole top\n"
      "  eole top --once                  a look at it, for a script or a mail\n"
      "  eole top --json | jq .rates      rates, once a second\n"
      "Exit codes: 0 left, 2 bad input, 3 no answer.");
  command->callback([is_once, &globals] { top(globals, *is_once); });
}

}  // namespace eole::cli
