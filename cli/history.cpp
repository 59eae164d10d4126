#include <array>
#include <ctime>
#include <optional>

#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

// What has ended, by what it was.
namespace eole::cli {

namespace {

constexpr std::uint64_t kRowsShown = 50;
constexpr std::uint64_t kPageRows = 1000;
constexpr Duration kGivenUp = 10s;
constexpr std::array<const char*, 12> kColumns{"offset", "id",      "kind",     "project",
                                               "state",  "worker",  "attempts", "began",
                                               "ended",  "summary", "error",    "key"};

struct HistoryOptions {
  std::string state;
  std::string project;
  std::string kind;
  std::string worker;
  std::string key;
  std::string text;
  std::string since;
  std::string until;
  std::optional<std::uint64_t> limit;
  bool csv = false;
};

// "2026-01-31 12:00:00", here.
std::string local_time(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 32> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string line(const std::array<std::string, 8>& cells) {
  constexpr std::array<std::size_t, 7> kWidths{19, 14, 9, 10, 12, 16, 3};
  std::string out;
  for (std::size_t i = 0; i < kWidths.size(); ++i) out += cell(cells[i], kWidths[i]) + " ";
  return out + shown(cells.back()) + "\n";
}

void print_row(const Value& row) {
  const auto error = row["error"].text_or("");
  std::fputs(line({local_time(row["ended"].int_or(0)), row["id"].text_or(""),
                   row["state"].text_or(""), row["kind"].text_or(""), row["project"].text_or(""),
                   row["worker"].text_or(""), text(row["attempts"].int_or(0)),
                   cut_to(error.empty() ? row["summary"].text_or("") : error, 60)})
                 .c_str(),
             stdout);
}

// As RFC 4180 has it. What is no text is shown as it would be in a terminal.
std::string in_csv(const Value& value) {
  if (value.is_null()) return "";
  const auto* number = value.as<std::int64_t>();
  if (number != nullptr) return text(*number);
  auto written = shown(value.text_or(""), Keep::kLines);
  if (written.find_first_of("\",\r\n") == std::string::npos) return written;
  std::string out = "\"";
  for (const char one : written) out += one == '"' ? "\"\"" : std::string(1, one);
  return out + "\"";
}

void print_csv(const Value& row) {
  std::string out;
  for (const auto* column : kColumns)
    out += (column == kColumns.front() ? "" : ",") + in_csv(row[column]);
  std::fputs((out + "\n").c_str(), stdout);
}

Value wanted(const HistoryOptions& options) {
  Value out = Value::Map{};
  for (const auto& [name, value] : {std::pair{"state", options.state},
                                    {"project", options.project},
                                    {"kind", options.kind},
                                    {"worker", options.worker},
                                    {"key", options.key},
                                    {"text", options.text}})
    if (!value.empty()) out.set(name, value);
  const auto now = process::unix_ms();
  if (!options.since.empty()) out.set("since", need(parse_when(options.since, now)));
  if (!options.until.empty()) out.set("until", need(parse_when(options.until, now, "--until")));
  return out;
}

// Once the index knows all that had ended when it was asked for the first time, or does not go on.
Value first_page(Cluster& cluster, const Value& options) {
  const bool is_told = is_terminal(2);
  std::int64_t head = -1;
  std::int64_t as_of = -1;
  TimePoint moved{};
  bool was_told = false;
  while (true) {
    end_if_unread();
    auto page = need(cluster.sink.query("history", {}, options));
    const auto now = process::now();
    if (page["as_of"].int_or(0) != as_of) moved = now;
    as_of = page["as_of"].int_or(0);
    if (head < 0) head = page["head"].int_or(0);
    const bool is_stuck = now - moved > kGivenUp;
    if (as_of >= head || is_stuck) {
      if (was_told) std::fputs("\r\x1b[K", stderr);
      if (is_stuck)
        std::fprintf(stderr,
                     "eole: history: its index does not go on: this is all below %lld of %lld\n",
                     static_cast<long long>(as_of), static_cast<long long>(head));
      return page;
    }
    if (!is_told) continue;
    was_told = true;
    std::fprintf(stderr, "\rreading the log: %lld of %lld", static_cast<long long>(as_of),
                 static_cast<long long>(head));
  }
}

void list(const HistoryOptions& options, const Globals& globals) {
  if (options.csv && globals.json) throw Failure{kBadUse, "history: --json or --csv, not both"};
  const bool is_table = !options.csv && !globals.json;
  const auto limit = options.limit.value_or(is_table ? kRowsShown : 0);
  auto asked = wanted(options);
  Cluster cluster(globals);
  asked.set("limit", limit == 0 ? kPageRows : std::min(limit, kPageRows));
  auto page = first_page(cluster, asked);
  if (options.csv) {
    std::string names;
    for (const auto* column : kColumns) names += text(names.empty() ? "" : ",", column);
    std::puts(names.c_str());
  }
  std::uint64_t count = 0;
  while (true) {
    const auto* rows = page["rows"].as<Value::Array>();
    if (rows == nullptr) throw Failure{kNoCluster, "history: not a list"};
    for (const auto& row : *rows) {
      if (limit != 0 && count == limit) break;
      if (count++ == 0 && is_table)
        std::fputs(
            line({"ENDED", "ID", "STATE", "KIND", "PROJECT", "WORKER", "ATT", "WHAT"}).c_str(),
            stdout);
      globals.json ? print_json(row) : options.csv ? print_csv(row) : print_row(row);
    }
    flush_output();
    if (page["next"].is_null() || (limit != 0 && count == limit)) break;
    asked.set("cursor", page["next"]);
    page = need(cluster.sink.query("history", {}, asked));
  }
  if (is_table && count == 0) std::puts("nothing of that kind has ended");
  if (is_table && count == limit && limit != 0)
    std::puts("… the newest; --limit shows more, 0 all");
}

}  // namespace

void add_history(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("history", "Find what has ended, the newest first");
  auto options = std::make_shared<HistoryOptions>();
  command
      ->add_option("--state", options->state,
                   "done, failed, dead, cancelled or retrying (tried again), with commas between")
      ->type_name("STATE,...");
  command->add_option("--project", options->project, "only this project's");
  command->add_option("--kind", options->kind, "only of this kind");
  command->add_option("--worker", options->worker, "only what this worker told of");
  command->add_option("--key", options->key, "only of tasks that have this key");
  command->add_option("--since", options->since,
                      "a time: 10m, 2h, 1d ago, today, or 2026-01-31T12:00:00Z [all]");
  command->add_option("--until", options->until, "what ended before this time [now]");
  command->add_option("--text", options->text,
                      "words that all are in its error, reasons, arguments or value");
  command->add_option("--limit", options->limit, "this many, 0: all [50; all with --json, --csv]")
      ->check(whole_number(0, kCountMax));
  command->add_flag("--json", globals.json, "one JSON object a line, times in Unix ms");
  command->add_flag("--csv", options->csv, "a table for a spreadsheet");
  command->footer(
      "By an index of the sink's log, which is made when it is first asked for. `eole result ID`\n"
      "has all of one result, `eole results` of many, in the log's order.\n"
      "Examples:\n"
      "  eole history --state failed,dead --since 1d\n"
      "  eole history --text 'connection refused' --kind download\n"
      "  eole history --project photos --csv > photos.csv\n"
      "Exit codes: 0 listed, 2 bad input, 3 no answer.");
  command->callback([options, &globals] { list(*options, globals); });
}

}  // namespace eole::cli
