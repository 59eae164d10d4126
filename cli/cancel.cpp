#include <algorithm>
#include <set>

#include "cli/lookup.hpp"
#include "cli/progress.hpp"
#include "cli/sure.hpp"
#include "clients/cpp/blocking/log_reader.hpp"
#include "clients/cpp/tasks/story.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/result_view.hpp"

namespace eole::cli {

namespace {

constexpr std::uint64_t kTasksInMessage = 4096;
constexpr std::uint64_t kShownOneByOne = 20;
constexpr std::size_t kLookedUp = 64;  // At a time, when the log is silent.
constexpr Duration kPatience = 30s;    // Without any of them ending.

struct CancelOptions {
  std::vector<std::string> ids;
  std::string project;
  std::string kind;
  bool all = false;
  bool is_sure = false;
  bool is_left = false;
  bool is_filter() const { return all || !project.empty() || !kind.empty(); }
};

/// What became of the tasks that were to be cancelled.
struct Told {
  std::set<TaskId> pending;
  std::set<TaskId> twice;  // They run twice: the end of the copy that does not count is told, too.
  TaskSet settled;  // Before they could be cancelled.
  TaskSet unknown;
  std::uint64_t cancelled = 0;
  std::uint64_t ended_otherwise = 0;
};

void add(const Value& ranges, Origin origin, const std::function<void(TaskId)>& on_id) {
  const auto* list = ranges.as<Value::Array>();
  if (list == nullptr) return;
  for (const auto& range : *list) {
    const auto* bounds = range.as<Value::Array>();
    if (bounds == nullptr || bounds->size() != 2) continue;
    const auto last = static_cast<Seq>((*bounds)[1].int_or(0));
    for (auto seq = static_cast<Seq>((*bounds)[0].int_or(1)); seq <= last; ++seq)
      on_id({origin, seq});
  }
}

// Asks for all of them, a few thousand in a message.
void ask(Cluster& cluster, const TaskSet& tasks, Told& told) {
  for (const auto& [of, seqs] : tasks) {
    const auto origin = of;  // clang 14 captures no structured binding.
    SeqRanges piece;
    const auto send = [&] {
      if (piece.count() == 0) return;
      const auto view = need(cluster.ventilator.ask(protocol::Cancel{0, origin, piece.encode()}));
      add(view["cancelling"], origin, [&](TaskId id) { told.pending.insert(id); });
      add(view["twice"], origin, [&](TaskId id) { told.twice.insert(id); });
      add(view["settled"], origin, [&](TaskId id) { told.settled[id.origin].add(id.seq, id.seq); });
      add(view["unknown"], origin, [&](TaskId id) { told.unknown[id.origin].add(id.seq, id.seq); });
      piece = {};
    };
    for (const auto& [first, last] : seqs.ranges())
      for (auto seq = first; seq <= last; ++seq) {
        piece.add(seq, seq);
        if (piece.count() == kTasksInMessage) send();
      }
    send();
  }
}

// Until the log has all of them, or none of them ends for a while. False: a signal ended it.
bool wait(Cluster& cluster, std::uint64_t head, Told& told, const OnView& on_ended) {
  const auto total = told.pending.size();
  const auto take = [&](const TaskId& id, const Value& view) {
    if (view["state"].text_or("") == "copy" && told.twice.erase(id) > 0)
      return void(on_ended(view));
    if (view["state"].text_or("") == "copy" || told.pending.erase(id) == 0) return;
    ++(view["state"].text_or("") == "cancelled" ? told.cancelled : told.ended_otherwise);
    on_ended(view);
  };
  process::StopSignal stop;
  ProgressLine line;
  auto reader = need(client::LogReader::open(cluster.context, cluster.file, head));
  auto until = process::now() + kPatience;
  while (!(told.pending.empty() && told.twice.empty()) && process::now() < until) {
    if (stop.take() > 0) return false;
    line.show(total - told.pending.size(), total, "");
    const auto before = told.pending.size() + told.twice.size();
    if (const auto encoded = need(reader->next(200ms))) {
      const auto batch = protocol::read_batch(*encoded);
      protocol::ResultReader records(batch->records);
      line.clear();
      for (std::uint32_t i = 0; i < batch->count; ++i)
        if (const auto result = records.next(); result && (result->is_final || result->is_copy))
          take(result->id, view_of(*result, batch->worker, batch->first_offset + i));
    } else {  // Some may have been in the log before it was read from `head` on.
      std::vector<TaskId> some;
      for (auto id = told.pending.begin(); id != told.pending.end() && some.size() < kLookedUp;
           ++id)
        some.push_back(*id);
      for (const auto& id : some)
        if (const auto view = need(cluster.sink.query("result", id));
            is_settled(view) && view["state"].text_or("") != "retrying")
          take(id, view);
    }
    if (told.pending.size() + told.twice.size() < before) until = process::now() + kPatience;
  }
  return true;
}

TaskSet tasks_of(Cluster& cluster, const CancelOptions& options) {
  TaskSet tasks;
  for (const auto& written : options.ids) {
    const auto id = need_id(written);
    tasks[id.origin].add(id.seq, id.seq);
  }
  if (!options.is_filter()) return tasks;
  Value wanted = Value::Map{};
  for (const auto& [name, value] :
       {std::pair{"project", &options.project}, {"kind", &options.kind}})
    if (!value->empty()) wanted.set(name, *value);
  std::uint64_t running = 0;
  each_task(cluster, wanted, [&](const Value& task) {
    const auto id = need_id(task["id"].text_or(""));
    tasks[id.origin].add(id.seq, id.seq);
    if (task["state"].text_or("") == "running") ++running;
    return true;
  });
  const auto count = count_of(tasks);
  std::fprintf(stderr, "eole: cancel: %llu task%s, %llu of them with a worker\n",
               static_cast<unsigned long long>(count), count == 1 ? "" : "s",
               static_cast<unsigned long long>(running));
  if (count > 0 && !options.is_sure && !is_sure("Cancel them?"))
    throw Failure{kNotDone, "cancel: nothing was cancelled"};
  return tasks;
}

void print_end(Value view, const Globals& globals) {
  const auto how = client::how_cancelled(view);
  if (globals.json) {
    view.set("how", how);
    return print_json(view);
  }
  std::printf("%s  %s  %s  %s\n", shown(view["id"].text_or("")).c_str(),
              coloured_state(view["state"].text_or("")).c_str(),
              shown(view["kind"].text_or("")).c_str(), shown(how).c_str());
  flush_output();
}

// Without waiting for their ends.
int leave(const Told& told, const Globals& globals) {
  for (const auto& id : told.pending)
    if (globals.json) print_json(Value::Map{{"id", to_text(id)}, {"state", "cancelling"}});
  if (!globals.json) std::printf("%zu asked to end\n", told.pending.size());
  return count_of(told.unknown) + count_of(told.settled) == 0 ? kDone : kNotDone;
}

int run(const CancelOptions& options, const Globals& globals) {
  if (options.ids.empty() && !options.is_filter())
    throw Failure{kBadUse, "cancel: give ids, --project, --kind or --all"};
  if (options.all && !(options.ids.empty() && options.project.empty() && options.kind.empty()))
    throw Failure{kBadUse, "cancel: --all goes without ids, --project and --kind"};
  Cluster cluster(globals);
  const auto tasks = tasks_of(cluster, options);
  const auto head = head_of(cluster);
  Told told;
  ask(cluster, tasks, told);
  const bool is_one_by_one = globals.json || count_of(tasks) <= kShownOneByOne;
  const auto show = [&](const Value& view) {
    if (is_one_by_one) print_end(view, globals);
    return true;
  };
  const auto each_of = [&](const TaskSet& set, const auto& visit) {
    for (const auto& [origin, seqs] : set)
      for (const auto& [first, last] : seqs.ranges())
        for (auto seq = first; seq <= last; ++seq) visit(TaskId{origin, seq});
  };
  if (is_one_by_one) each_of(told.settled, [&](TaskId id) { show(look_up(cluster, id)); });
  each_of(told.unknown, [&](TaskId id) {
    std::fprintf(stderr, "eole: %s: no such task was accepted\n", to_text(id).c_str());
  });
  if (options.is_left) return leave(told, globals);
  if (!wait(cluster, head, told, show))
    std::fprintf(stderr,
                 "eole: cancel: no longer waiting; all of them were asked to end, and will\n");
  std::size_t named = 0;
  for (const auto& id : told.pending) {
    if (++named > kShownOneByOne) break;
    std::fprintf(stderr, "eole: %s: still winding down\n", to_text(id).c_str());
  }
  for (const auto& id : told.twice)
    std::fprintf(stderr, "eole: %s: its other copy has not told its end\n", to_text(id).c_str());
  if (!globals.json && count_of(tasks) != 1) {
    auto line = text(told.cancelled, " cancelled");
    if (const auto count = count_of(told.settled)) line += text(", ", count, " settled before");
    if (told.ended_otherwise > 0) line += text(", ", told.ended_otherwise, " ended otherwise");
    if (const auto count = count_of(told.unknown)) line += text(", ", count, " not known");
    if (!told.pending.empty()) line += text(", ", told.pending.size(), " still winding down");
    if (!is_one_by_one)
      for (const auto& [origin, seqs] : tasks)
        line += text("\n", origin_text(origin), "-", seqs.ranges().begin()->first, " to ",
                     origin_text(origin), "-", seqs.highest());
    std::puts(line.c_str());
  }
  return told.cancelled == count_of(tasks) ? kDone : kNotDone;
}

}  // namespace

void add_cancel(Command& app, Globals& globals) {
  auto* command =
      app.add_subcommand("cancel", "Cancel tasks, queued or running; say how each ended");
  auto options = std::make_shared<CancelOptions>();
  command->add_option("id", options->ids, "the tasks");
  command->add_option("--project", options->project, "all of this project that are not settled");
  command->add_option("--kind", options->kind, "all of this kind that are not settled");
  command->add_flag("--all", options->all, "every task that is not settled");
  command->add_flag("--yes", options->is_sure,
                    "do not ask; else a person at a terminal is, where no ids are given");
  command->add_flag("--no-wait", options->is_left, "do not wait until they have ended");
  command->add_flag("--json", globals.json, "one JSON object a line: how each task ended");
  command->footer(
      "A queued task never runs; a running one is stopped (a command with its whole process\n"
      "tree). Says of each whether it had begun, which process got which signals, and when it\n"
      "was gone. Returns when the log says how each ended, or names those that still wind down\n"
      "when none has ended for 30 s, or at Ctrl-C.\n"
      "Examples:\n"
      "  eole cancel k3f9qz-17 k3f9qz-18\n"
      "  eole cancel --project photos --kind download\n"
      "Exit codes: 0 all are cancelled (or there were none), 1 some were settled before, are not\n"
      "known or still wind down, 2 bad input, 3 no answer.");
  command->callback([options, &globals] { globals.exit_code = run(*options, globals); });
}

}  // namespace eole::cli
