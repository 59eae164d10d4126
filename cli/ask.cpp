#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>

#include "cli/submission.hpp"
#include "clients/cpp/artifact_client.hpp"
#include "clients/cpp/log_reader.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/result_view.hpp"

// The commands that ask, and cancel.
namespace eole::cli {

namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(20);

// What is known of one task: its result if it is settled, else what the ventilator says.
Value look_up(Cluster& cluster, const TaskId& id) {
  auto view = need(cluster.sink.query("result", id));
  if (!view.is_null() && view["state"].text_or("") != "retrying") return view;
  auto task = need(cluster.ventilator.query("task", id));
  if (task.is_null()) {  // Settled between the two questions, or never accepted.
    view = need(cluster.sink.query("result", id));
    if (view.is_null()) throw Failure{kNotDone, text(to_text(id), ": no such task was accepted")};
    return view;
  }
  task.set("id", to_text(id));
  return task;
}

bool is_settled(const Value& view) { return !view["offset"].is_null(); }

int show_task(const Globals& globals, const std::string& written) {
  Cluster cluster(globals);
  const auto view = look_up(cluster, need_id(written));
  if (globals.json) {
    print_json(view);
  } else if (is_settled(view)) {
    print_result(view);
  } else {
    std::printf("%s  %s  attempt %lld%s%s\n", written.c_str(),
                coloured_state(view["state"].text_or("")).c_str(),
                static_cast<long long>(view["attempt"].int_or(0)),
                view["worker"].text_or("").empty() ? "" : "  on ",
                view["worker"].text_or("").c_str());
  }
  if (!globals.json)
    if (const auto* reasons = view["reasons"].as<Value::Array>())
      for (const auto& reason : *reasons) std::printf("  %s\n", reason.text_or("").c_str());
  return kDone;
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
  status.set("journal_bytes", ventilator["journal_bytes"]);
  status.set("journal_syncs", ventilator["journal_syncs"]);
  status.set("log_bytes", sink["log_bytes"]);
  status.set("log_syncs", sink["log_syncs"]);
  status.set("roles", std::move(roles));
  return status;
}

std::size_t ready_workers(const Value& status) {
  const auto& roles = *status["roles"].as<Value::Array>();
  return static_cast<std::size_t>(std::count_if(roles.begin(), roles.end(), [](const Value& role) {
    return role["role"].text_or("") == "worker" && role["state"].text_or("") == "ready";
  }));
}

void print_status(const Value& status) {
  for (const auto* name :
       {"accepted", "queued", "running", "settled", "done", "failed", "dead", "cancelled"})
    std::printf("%-10s %lld\n", name, static_cast<long long>(status[name].int_or(0)));
  std::printf("%-10s journal %s, log %s\n\n", "disk",
              human_bytes(static_cast<double>(status["journal_bytes"].int_or(0))).c_str(),
              human_bytes(static_cast<double>(status["log_bytes"].int_or(0))).c_str());
  for (const auto& role : *status["roles"].as<Value::Array>())
    std::printf("%-10s %-18s pid %-8lld %s\n", role["role"].text_or("").c_str(),
                role["name"].text_or("").c_str(), static_cast<long long>(role["pid"].int_or(0)),
                coloured_state(role["state"].text_or("")).c_str());
}

// Asks until `workers` workers are ready; the supervisor's way to know that a task would run.
int wait_for_workers(const Globals& globals, std::size_t workers) {
  Cluster cluster(globals);
  while (true) {
    const auto status = cluster_status(cluster);
    const auto& roles = *status["roles"].as<Value::Array>();
    if (roles[0]["state"].text_or("") == "ready" && ready_workers(status) >= workers) return kDone;
    std::this_thread::sleep_for(kPollEvery);
  }
}

void print_worker(const Value& worker) {
  std::printf("%-18s pid %-8lld %-8s %3lld slots %6lld held  %s\n",
              worker["name"].text_or("").c_str(), static_cast<long long>(worker["pid"].int_or(0)),
              coloured_state(worker["state"].text_or("")).c_str(),
              static_cast<long long>(worker["slots"].int_or(0)),
              static_cast<long long>(worker["held"].int_or(0)),
              worker["kinds"].text_or("").c_str());
}

Value progress_view(const protocol::Progress& progress) {
  Value view = Value::Map{{"progress", true},
                          {"id", to_text(TaskId{progress.origin, progress.seq})},
                          {"worker", progress.worker}};
  if (progress.stream.empty()) {
    view.set("done", progress.done);
    view.set("total", progress.total);
  } else {
    view.set("stream", progress.stream);
    view.set("output", std::string(progress.payload));
  }
  return view;
}

struct WatchOptions {
  std::int64_t from = -1;
  std::uint64_t count = 0;
  bool progress = false;
  std::string project;
};

void watch(const Globals& globals, const WatchOptions& options) {
  Cluster cluster(globals);
  const auto from = options.from < 0
                        ? std::optional<std::uint64_t>{}
                        : std::optional<std::uint64_t>(static_cast<std::uint64_t>(options.from));
  auto reader = need(client::LogReader::open(cluster.context, cluster.file, from));
  if (options.progress) reader->watch_progress();
  std::uint64_t shown = 0;
  while (options.count == 0 || shown < options.count) {
    const auto encoded = need(reader->next(500ms));
    while (const auto progress = reader->next_progress()) {
      if (globals.json)
        print_json(progress_view(*progress));
      else if (!progress->stream.empty())
        std::fwrite(progress->payload.data(), 1, progress->payload.size(), stdout);
    }
    if (!encoded) continue;
    const auto batch = protocol::read_batch(*encoded);
    protocol::ResultReader records(batch->records);
    for (std::uint32_t i = 0; i < batch->count; ++i) {
      const auto result = records.next();
      const auto offset = batch->first_offset + i;
      if (!result || offset < reader->from()) continue;
      if (!options.project.empty() && result->project != options.project) continue;
      const auto view = view_of(*result, batch->worker, offset);
      globals.json ? print_json(view) : print_result(view);
      if (++shown == options.count) return;
    }
  }
}

}  // namespace

void add_watch(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("watch", "Show notifications, live or from an offset on");
  auto options = std::make_shared<WatchOptions>();
  command->add_option("--from", options->from, "the first offset [only what comes from now on]");
  command->add_option("--count", options->count, "end after this many");
  command->add_option("--project", options->project, "only this project's");
  command->add_flag("--progress", options->progress, "also how far tasks are, and what they print");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->callback([options, &globals] { watch(globals, *options); });
}

void add_status(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("status", "Show the cluster, or one task with its attempts");
  auto id = std::make_shared<std::string>();
  auto workers = std::make_shared<std::size_t>(0);
  command->add_option("id", *id, "a task");
  command->add_option("--until-workers", *workers, "wait until this many workers are ready");
  command->add_flag("--json", globals.json, "one JSON object");
  command->callback([id, workers, &globals] {
    if (!id->empty()) {
      globals.exit_code = show_task(globals, *id);
      return;
    }
    if (*workers > 0) {
      globals.exit_code = wait_for_workers(globals, *workers);
      return;
    }
    Cluster cluster(globals);
    const auto status = cluster_status(cluster);
    globals.json ? print_json(status) : print_status(status);
  });
}

void add_workers(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("workers", "List the connected workers");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->callback([&globals] {
    Cluster cluster(globals);
    const auto workers = need(cluster.ventilator.query("workers"));
    for (const auto& worker : *workers.as<Value::Array>())
      globals.json ? print_json(worker) : print_worker(worker);
  });
}

void add_result(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("result", "Print a task's result; exit 0 if it is done");
  auto id = std::make_shared<std::string>();
  command->add_option("id", *id, "the task")->required();
  command->add_flag("--json", globals.json, "all that is known, as one JSON object");
  command->callback([id, &globals] {
    Cluster cluster(globals);
    const auto view = look_up(cluster, need_id(*id));
    const auto state = view["state"].text_or("");
    globals.exit_code = state == "done" ? kDone : kNotDone;
    if (globals.json) return print_json(view);
    if (!is_settled(view)) throw Failure{kNotDone, text(*id, ": not settled, ", state)};
    if (state != "done")
      throw Failure{kNotDone, text(*id, ": ", state, ": ", view["error"].text_or(""))};
    std::printf("%s\n", view["value"].to_json().c_str());
  });
}

void add_fetch(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("fetch", "Fetch a task's artifact to a file");
  auto id = std::make_shared<std::string>();
  auto path = std::make_shared<std::string>();
  command->add_option("id", *id, "a task, or an artifact's SHA-256")->required();
  command->add_option("-o,--output", *path, "the file [the artifact's name, here]");
  command->add_flag("--json", globals.json, "one JSON object");
  command->callback([id, path, &globals] {
    Cluster cluster(globals);
    auto sha256 = *id;
    auto to = *path;
    if (!is_sha256(sha256)) {
      const auto artifact = look_up(cluster, need_id(*id))["artifact"];
      if (artifact.is_null()) throw Failure{kNotDone, text(*id, ": has no artifact")};
      sha256 = artifact["sha256"].text_or("");
      const auto name = artifact["name"].text_or("");
      if (to.empty()) to = name.substr(name.find_last_of('/') + 1);
    }
    if (to.empty() || to == "." || to == "..") to = sha256;
    ProgressLine line;
    client::ArtifactClient artifacts(cluster.context, cluster.file);
    const auto bytes =
        need(artifacts.get(sha256, to,
                           [&](std::uint64_t done, std::uint64_t total) {
                             line.show(done, total, human_bytes(static_cast<double>(total)));
                             return true;
                           }),
             kNotDone);
    if (globals.json)
      print_json(Value::Map{{"file", to}, {"bytes", bytes}, {"sha256", sha256}});
    else
      std::printf("%s  %s\n", to.c_str(), human_bytes(static_cast<double>(bytes)).c_str());
  });
}

void add_cancel(CLI::App& app, Globals& globals) {
  auto* command =
      app.add_subcommand("cancel", "Cancel tasks, queued or running; say how each ended");
  auto ids = std::make_shared<std::vector<std::string>>();
  command->add_option("id", *ids, "the tasks")->required();
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->callback([ids, &globals] {
    Cluster cluster(globals);
    for (const auto& written : *ids) {
      const auto id = need_id(written);
      SeqRanges ranges;
      ranges.add(id.seq, id.seq);
      need(cluster.ventilator.ask<protocol::Answer>(
          protocol::Cancel{0, id.origin, ranges.encode()}));
      // The answer to a person is how the task ended, and the log says that.
      constexpr auto kPatience = 30s;
      const auto until = process::now() + kPatience;
      auto view = look_up(cluster, id);
      while (!is_settled(view) && process::now() < until) {
        std::this_thread::sleep_for(kPollEvery);
        view = look_up(cluster, id);
      }
      if (view["state"].text_or("") != "cancelled") globals.exit_code = kNotDone;
      globals.json ? print_json(view) : print_result(view);
    }
  });
}

void add_dead(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("dead", "Dead letters: tasks whose attempts are used up");
  command->require_subcommand(1);
  auto* list = command->add_subcommand("list", "List them with their reasons");
  list->add_flag("--json", globals.json, "one JSON object a line");
  list->callback([&globals] {
    Cluster cluster(globals);
    const auto page = need(cluster.sink.query("dead"));
    for (const auto& view : *page["letters"].as<Value::Array>()) {
      if (globals.json) {
        print_json(view);
        continue;
      }
      print_result(view);
      if (const auto* reasons = view["reasons"].as<Value::Array>())
        for (const auto& reason : *reasons) std::printf("  %s\n", reason.text_or("").c_str());
    }
  });
  auto* replay = command->add_subcommand("replay", "Submit dead tasks again, as new tasks");
  auto ids = std::make_shared<std::vector<std::string>>();
  auto all = std::make_shared<bool>(false);
  replay->add_option("id", *ids, "the dead tasks");
  replay->add_flag("--all", *all, "every one in the list");
  replay->add_flag("--json", globals.json, "one JSON object a line");
  replay->callback([ids, all, &globals] {
    Cluster cluster(globals);
    auto wanted = *ids;
    if (*all) {
      const auto page = need(cluster.sink.query("dead"));
      for (const auto& view : *page["letters"].as<Value::Array>())
        wanted.push_back(view["id"].text_or(""));
    }
    if (wanted.empty() && !*all) throw Failure{kBadUse, "dead replay: give ids, or --all"};
    for (const auto& written : wanted) {
      const auto raw = need(cluster.sink.query("spec", need_id(written)));
      const auto* blob = raw.as<protocol::Blob>();
      if (blob == nullptr) throw Failure{kNotDone, text(written, ": is not a dead letter")};
      ByteReader reader(blob->bytes);
      const auto spec = protocol::read_task_spec(reader);
      if (!spec) throw Failure{kNotDone, text(written, ": its task cannot be read")};
      // The key makes a replay that is repeated the same replay.
      std::string id;
      client::Submitter submitter(cluster.context, cluster.file, {.key = "replay-of:" + written},
                                  [&](Origin origin, Seq first, std::uint32_t) {
                                    id = to_text(TaskId{origin, first});
                                  });
      need(submitter.add(*spec));
      need(submitter.finish());
      if (globals.json)
        print_json(Value::Map{{"id", id}, {"replay_of", written}});
      else
        std::printf("%s  replays %s\n", id.c_str(), written.c_str());
    }
  });
}

}  // namespace eole::cli
