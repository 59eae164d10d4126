#include <algorithm>
#include <optional>
#include <thread>

#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

// What the roles say of their work, from all machines.
namespace eole::cli {

namespace {

constexpr std::int64_t kLinesShown = 200;
constexpr std::int64_t kPageLines = 1000;
constexpr Duration kLookEvery = 300ms;

struct LogsOptions {
  std::string level;
  std::string task;
  std::string role;
  std::string since;
  std::optional<std::int64_t> count;
  bool follow = false;
};

int colour_of(const std::string& level) {
  constexpr int kRed = 31;
  constexpr int kYellow = 33;
  return level == "error" ? kRed : level == "warn" ? kYellow : 0;
}

// "2026-01-31T12:00:00.123Z warn  worker w1: k3f9qz-17: what it says".
void print_line(const Value& line, const Globals& globals) {
  if (globals.json) return print_json(line);
  const auto level = line["level"].text_or("");
  auto who = line["role"].text_or("");
  if (const auto name = line["name"].text_or(""); !name.empty()) who += " " + name;
  const auto task = line["task"].text_or("");
  const auto padded = cell(level, 5);
  std::printf("%s %s %s: %s%s\n", shown(line["time"].text_or("")).c_str(),
              colour_of(level) == 0 ? padded.c_str() : coloured(padded, colour_of(level)).c_str(),
              shown(who).c_str(), task.empty() ? "" : (shown(task) + ": ").c_str(),
              shown(line["text"].text_or("")).c_str());
}

Value wanted(const LogsOptions& options) {
  Value out = Value::Map{};
  for (const auto& [name, value] :
       {std::pair{"level", options.level}, {"task", options.task}, {"role", options.role}})
    if (!value.empty()) out.set(name, value);
  if (!options.task.empty()) (void)need_id(options.task);
  if (!options.since.empty()) out.set("since", need(parse_when(options.since, process::unix_ms())));
  return out;
}

const Value::Array& lines_of(const Value& page) {
  const auto* lines = page["lines"].as<Value::Array>();
  if (lines == nullptr) throw Failure{kNoCluster, "logs: not a list"};
  return *lines;
}

// The newest, at most so many, the oldest of them first; behind which offset others come.
std::int64_t print_newest(Cluster& cluster, Value asked, std::int64_t count,
                          const Globals& globals) {
  std::vector<Value> found;
  std::int64_t head = -1;
  while (static_cast<std::int64_t>(found.size()) < count) {
    asked.set("limit", std::min(kPageLines, count - static_cast<std::int64_t>(found.size())));
    const auto page = need(cluster.sink.query("logs", {}, asked));
    if (head < 0) head = page["head"].int_or(0);
    const auto& lines = lines_of(page);
    found.insert(found.end(), lines.begin(), lines.end());
    if (page["next"].is_null()) break;
    asked.set("before", page["next"]);
  }
  std::for_each(found.rbegin(), found.rend(), [&](const auto& line) { print_line(line, globals); });
  flush_output();
  if (head < 0) head = need(cluster.sink.query("logs", {}, asked))["head"].int_or(0);
  return head;
}

// The sink may be away for a while: its lines are there when it is back.
void follow(Cluster& cluster, Value asked, std::int64_t after, process::StopSignal& stop,
            const Globals& globals) {
  bool is_away = false;
  asked.set("limit", kPageLines);
  while (stop.take() == 0) {
    end_if_unread();
    asked.set("after", after);
    const auto page = cluster.sink.query("logs", {}, asked);
    if (!page && !page.error().is_silence()) throw Failure{kBadUse, shown(page.error().message)};
    if (is_away != !page)
      std::fprintf(stderr, "eole: logs: %s\n",
                   page ? "the sink answers again" : shown(page.error().message).c_str());
    is_away = !page;
    if (!page) continue;
    for (const auto& line : lines_of(*page)) print_line(line, globals);
    flush_output();
    const bool has_more = (*page)["next"].int_or(after) < (*page)["head"].int_or(0);
    after = (*page)["next"].int_or(after);
    if (!has_more) std::this_thread::sleep_for(kLookEvery);
  }
}

void show(const LogsOptions& options, const Globals& globals) {
  auto asked = wanted(options);
  Cluster cluster(globals);
  std::optional<process::StopSignal> stop;  // Before a line is seen: one may be what ends it.
  if (options.follow) stop.emplace();
  const auto after = print_newest(cluster, asked, options.count.value_or(kLinesShown), globals);
  if (stop) follow(cluster, std::move(asked), after, *stop, globals);
}

}  // namespace

void add_logs(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("logs", "What the roles say of their work, on all machines");
  auto options = std::make_shared<LogsOptions>();
  command->add_flag("-f,--follow", options->follow, "go on with what comes, until Ctrl-C");
  command->add_option("-n,--lines", options->count, "the newest so many [200]")
      ->check(whole_number(0, 1'000'000));
  command->add_option("--level", options->level, "info, warn or error, and what is worse [info]")
      ->one_of({"info", "warn", "error"});
  command->add_option("--task", options->task, "only what names this task");
  command->add_option("--role", options->role, "only of ventilator, sink, worker, gateway or relay")
      ->one_of({"ventilator", "sink", "worker", "gateway", "relay"});
  command->add_option("--since", options->since,
                      "a time: 10m, 2h, 1d ago, today, or 2026-01-31T12:00:00Z [all]");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "Lines are kept by the sink, for `eole up --logs-keep-days` and `--logs-keep-bytes`; what "
      "it\n"
      "did not get is in the files that `eole up` names. Times are those of who wrote a line.\n"
      "Examples:\n"
      "  eole logs --follow --level warn\n"
      "  eole logs --task k3f9qz-17\n"
      "Exit codes: 0 shown, 2 bad input, 3 no answer.");
  command->callback([options, &globals] { show(*options, globals); });
}

}  // namespace eole::cli
