#include <algorithm>

#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

// The tasks that are not settled.
namespace eole::cli {

namespace {

constexpr std::uint64_t kCountedMost = 1000;  // Beyond those shown; a queue may hold millions.

struct TasksOptions {
  std::string project;
  std::string kind;
  std::string state;
  std::string worker;
  std::uint64_t limit = 50;
};

std::string row(const std::string& id, const std::string& state, const std::string& kind,
                const std::string& project, const std::string& attempt, const std::string& worker,
                const std::string& age) {
  return text(cell(id, 14), " ", cell(state, 10), " ", cell(kind, 10), " ", cell(project, 12), " ",
              cell(attempt, 3), " ", cell(worker, 16), " ", age, "\n");
}

void list(const TasksOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  Value wanted = Value::Map{};
  for (const auto& [name, value] : {std::pair{"project", options.project},
                                    {"kind", options.kind},
                                    {"state", options.state},
                                    {"worker", options.worker}})
    if (!value.empty()) wanted.set(name, value);
  const auto now = process::unix_ms();
  std::uint64_t count = 0;
  bool is_counted = true;
  each_task(cluster, wanted, [&](const Value& task) {
    if (globals.json && options.limit > 0 && count == options.limit) return false;
    ++count;
    if (globals.json) {
      print_json(task);
      return true;
    }
    if (count == 1)
      std::fputs(row("ID", "STATE", "KIND", "PROJECT", "ATT", "WORKER", "AGE").c_str(), stdout);
    is_counted = options.limit == 0 || count <= options.limit + kCountedMost;
    if (options.limit > 0 && count > options.limit) return is_counted;
    const auto line =
        row(task["id"].text_or(""), task["state"].text_or(""), task["kind"].text_or(""),
            task["project"].text_or(""), text(task["attempt"].int_or(0)),
            task["worker"].text_or(""), human_age(now - task["submitted"].int_or(now)));
    std::fputs(line.c_str(), stdout);
    return true;
  });
  if (globals.json) return;
  if (count == 0) std::puts("no such tasks");
  if (options.limit > 0 && count > options.limit)
    std::printf("… and %s%llu more (--limit 0 shows all)\n", is_counted ? "" : "more than ",
                static_cast<unsigned long long>(std::min(count - options.limit, kCountedMost)));
}

}  // namespace

void add_tasks(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("tasks", "List queued and running tasks");
  auto options = std::make_shared<TasksOptions>();
  command->add_option("--project", options->project, "only this project's");
  command->add_option("--kind", options->kind, "only of this kind");
  command->add_option("--state", options->state, "only in this state")
      ->one_of({"queued", "waiting", "running", "cancelling"});
  command->add_option("--worker", options->worker, "only those that this worker has");
  command->add_option("--limit", options->limit, "show this many, 0: all [50]")
      ->check(whole_number(0, kCountMax));
  command->add_flag("--json", globals.json, "one JSON object a line, submitted in Unix ms");
  command->footer(
      "Oldest first. A task that is settled is no longer here: see eole history, eole dead.\n"
      "Examples:\n"
      "  eole tasks --state running            what runs, where, for how long\n"
      "  eole tasks --project photos --json    for a script\n"
      "Exit codes: 0 listed, 2 bad input, 3 no answer.");
  command->callback([options, &globals] { list(*options, globals); });
}

}  // namespace eole::cli
