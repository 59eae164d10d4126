#include <algorithm>
#include <map>

#include "cli/group.hpp"
#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "cli/progress.hpp"
#include "clients/cpp/blocking/log_reader.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/topics.hpp"
#include "common/process/system.hpp"
#include "common/protocol/event.hpp"
#include "common/protocol/result_view.hpp"

// What was told, and what is being told.
namespace eole::cli {

namespace {

constexpr Duration kNewsEvery = 50ms;

struct WatchOptions {
  std::string from;
  std::string since;
  std::uint64_t count = UINT64_MAX;
  bool progress = false;
  bool events = false;
  std::string project;
  std::string topic;
  std::string as;
  std::string group;
  std::string member;
  std::string commit;
};

// As a member of a group: it goes on where that was committed.
void watch_as_member(Globals& globals, const WatchOptions& options) {
  const bool is_cursor = !options.as.empty();
  if (is_cursor && !options.group.empty())
    throw Failure{kBadUse, "watch: --as or --group, not both"};
  if (options.events)
    throw Failure{kBadUse, "watch: a group reads the log, which has no --events of the moment"};
  if (options.progress || (!is_cursor && !(options.from.empty() && options.since.empty())))
    throw Failure{kBadUse,
                  "watch: a group goes on where it is (eole group move); it has no --from, --since "
                  "or --progress"};
  Cluster cluster(globals);
  if (is_cursor)
    create_cursor(cluster, options.as,
                  !options.from.empty()   ? options.from
                  : options.since.empty() ? "latest"
                                          : options.since);
  globals.exit_code =
      watch_group(cluster,
                  {is_cursor ? options.as : options.group, options.member,
                   options.commit.empty() ? "end" : options.commit, options.count,
                   options.project, options.topic},
                  globals.json);
}

Value progress_view(const protocol::Progress& progress) {
  Value view = Value::Map{{"progress", true},
                          {"id", to_text(TaskId{progress.origin, progress.seq})},
                          {"worker", progress.worker}};
  if (progress.stream.empty()) {
    view.set("done", progress.done);
    view.set("total", progress.total);
    if (!progress.text.empty()) view.set("text", progress.text);
  } else {
    view.set("stream", progress.stream);
    view.set("output", std::string(progress.payload));
  }
  return view;
}

/// Progress for people: how far tasks are, once a second each, and what they print, line by line
/// behind the task's id.
class ProgressShown {
 public:
  void show(const protocol::Progress& progress) {
    const auto id = to_text(TaskId{progress.origin, progress.seq});
    auto& task = tasks_[id];
    if (progress.stream.empty()) {
      const auto now = process::now();
      task.progress.hear(progress.done, progress.total, progress.text, now);
      if (task.told != TimePoint{} && now < task.told + 1s) return;
      task.told = now;
      std::puts(text(id, "  ", coloured_state("running"), "  on ", shown(progress.worker), "  ",
                     task.progress.text())
                    .c_str());
    } else {
      auto& begun = task.lines[progress.stream];
      begun += progress.payload;
      for (auto end = begun.find('\n'); end != std::string::npos; end = begun.find('\n')) {
        print(id, begun.substr(0, end));
        begun.erase(0, end + 1);
      }
      if (begun.size() > kLineBytesMax) print(id, std::exchange(begun, {}));
    }
    flush_output();
  }
  void end(const std::string& id) {
    const auto task = tasks_.extract(id);
    if (!task) return;
    for (const auto& [stream, begun] : task.mapped().lines)
      if (!begun.empty()) print(id, begun);
  }

 private:
  static constexpr std::size_t kLineBytesMax = 4096;
  struct Task {
    TimePoint told{};
    TaskProgress progress;
    std::map<std::string, std::string> lines;  // Of each stream: what has no line end yet.
  };
  static void print(const std::string& id, std::string_view line) {
    std::puts(text(id, " | ", shown(line)).c_str());
  }
  std::map<std::string, Task> tasks_;
};

/// What has no offset: the log tells of the rest.
class News {
 public:
  explicit News(Cluster& cluster) : socket_(cluster.context, net::SocketType::kSub) {
    socket_.subscribe(protocol::kMsgpackTopics);
    socket_.connect(cluster.file.notifications);
  }
  void show(bool is_json) {
    while (const auto received = socket_.receive()) {
      const auto event = Value::from_msgpack(received->message.payload);
      if (!event || !(*event)["data"]["offset"].is_null()) continue;
      if (is_json) {
        print_json(*event);
        continue;
      }
      std::puts(text((*event)["time"].text_or(""), "  ", shown((*event)["type"].text_or("")), "  ",
                     shown((*event)["subject"].text_or("")))
                    .c_str());
      flush_output();
    }
  }

 private:
  net::Socket socket_;
};

void watch(Globals& globals, const WatchOptions& options) {
  if (!options.as.empty() || !options.group.empty()) return watch_as_member(globals, options);
  if (!options.member.empty() || !options.commit.empty())
    throw Failure{kBadUse, "watch: --member and --commit are for a --group or --as NAME"};
  if (!options.from.empty() && !options.since.empty())
    throw Failure{kBadUse, "watch: --from or --since, not both"};
  const auto since = options.since.empty()
                         ? std::int64_t{0}
                         : need(parse_when(options.since, process::unix_ms()), kBadUse);
  std::optional<TopicPattern> pattern;
  if (!options.topic.empty()) pattern = need(TopicPattern::parse(options.topic), kBadUse);
  Cluster cluster(globals);
  std::optional<std::uint64_t> from;
  if (!options.from.empty() && options.from != "latest")
    from = offset_of_place(cluster, place_in_log(cluster, options.from));
  const auto head = options.since.empty() ? 0 : head_of(cluster);
  if (!options.since.empty()) from = offset_at(cluster, since);
  auto reader =
      need(client::LogReader::open(cluster.context, cluster.file, from, std::move(pattern)));
  if (options.progress) reader->watch_progress();
  std::optional<News> news;
  if (options.events) news.emplace(cluster);
  ProgressShown progress_shown;
  std::uint64_t count = 0;
  while (count < options.count) {
    end_if_unread();
    const auto encoded = need(reader->next(news ? kNewsEvery : 500ms), kNoCluster);
    if (news) news->show(globals.json);
    while (const auto progress = reader->next_progress())
      globals.json ? print_json(progress_view(*progress)) : progress_shown.show(*progress);
    if (!encoded) continue;
    const auto batch = protocol::read_batch(*encoded);
    protocol::ResultReader records(batch->records);
    for (std::uint32_t i = 0; i < batch->count; ++i) {
      const auto result = records.next();
      const auto offset = batch->first_offset + i;
      if (!result || offset < reader->from()) continue;
      if (options.progress) progress_shown.end(to_text(result->id));  // Of any project.
      if (offset < head && result->finished_unix_ms < since) continue;
      if (!options.project.empty() && result->project != options.project) continue;
      const auto view = view_of(*result, batch->worker, offset);
      globals.json ? print_json(view) : print_result(view);
      if (++count == options.count) return;
    }
  }
}

Limit place() {
  auto offset = whole_number(0, INT64_MAX);
  return {[is_offset = offset.check](const std::string& from) {
            return from == "earliest" || from == "latest" ? std::string() : is_offset(from);
          },
          "earliest, latest or an offset"};
}

struct ResultsOptions {
  std::string since;
  std::string project;
  std::string state;
};

}  // namespace

void add_watch(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("watch", "Show notifications, live or from a time on");
  auto options = std::make_shared<WatchOptions>();
  command
      ->add_option(
          "--from", options->from,
          "earliest (that is kept), latest (only what comes from now on), or an offset; one "
          "below the oldest kept is refused, with that offset [latest]")
      ->check(place());
  command->add_option("--since", options->since,
                      "a time: 10m, 2h, 1d ago, today, or 2026-01-31T12:00:00Z");
  command->add_option("--count", options->count, "end after this many [never]")
      ->check(whole_number(1, kCountMax));
  command->add_option("--project", options->project, "only this project's");
  command
      ->add_option("--topic", options->topic,
                   "only topics project/kind/state that fit: * is one word, # any number")
      ->check([](const std::string& given) -> std::string {
        const auto topic = TopicPattern::parse(given);
        return topic ? "" : topic.error().message;
      });
  command->add_option("--as", options->as,
                      "a cursor of this name: goes on where the last one with it ended; the first "
                      "begins at --from or --since, else with what comes");
  command->add_option("--group", options->group,
                      "as a member of this group (eole group create): each result goes to one");
  command->add_option("--member", options->member, "its name, for people [host and process]");
  command
      ->add_option("--commit", options->commit,
                   "each: what is printed is committed one by one; end: all, when it ends well or "
                   "another member takes over; never [end]")
      ->one_of({"each", "end", "never"});
  command->add_flag("--progress", options->progress, "also how far tasks are, and what they print");
  command->add_flag("--events", options->events,
                    "also what happens now, which may be lost: accepted, joined, over …");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "Examples:\n"
      "  eole watch --since today --json    every notification since midnight, then live\n"
      "  eole watch --progress              live, with how far tasks are and what they print\n"
      "  eole watch --topic 'shop/#/failed'  live, what failed in shop and below it\n"
      "  eole watch --as mine --json        from where it ended last, until Ctrl-C\n"
      "  eole watch --group billing --json  its share of what the group has not read\n"
      "Exit codes: 0 told --count, 2 bad input, 3 no answer.");
  command->callback([options, &globals] { watch(globals, *options); });
}

void add_results(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("results", "List how tasks ended, from the log");
  auto options = std::make_shared<ResultsOptions>();
  command->add_option("--since", options->since,
                      "a time: 10m, 2h, 1d ago, today, or 2026-01-31T12:00:00Z [all]");
  command->add_option("--project", options->project, "only this project's");
  command->add_option("--state", options->state, "only in this state")
      ->one_of({"done", "failed", "dead", "cancelled"});
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "In the order of the log. By when a task finished, by its worker's clock.\n"
      "Examples:\n"
      "  eole results --since 1h --state failed\n"
      "  eole results --project photos --json\n"
      "Exit codes: 0 listed, 2 bad input, 3 no answer.");
  command->callback([options, &globals] {
    const auto since = options->since.empty()
                           ? std::int64_t{0}
                           : need(parse_when(options->since, process::unix_ms()), kBadUse);
    Cluster cluster(globals);
    std::uint64_t count = 0;
    each_result(cluster, since, options->project, [&](const Value& view) {
      if (!options->state.empty() && view["state"].text_or("") != options->state) return true;
      ++count;
      globals.json ? print_json(view) : print_result(view);
      return true;
    });
    if (count == 0 && !globals.json) std::puts("no such results");
  });
}

}  // namespace eole::cli
