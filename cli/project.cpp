#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>

#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "cli/progress.hpp"
#include "cli/project_progress.hpp"
#include "cli/project_retry.hpp"
#include "cli/submission.hpp"
#include "clients/cpp/tasks/project_view.hpp"
#include "clients/cpp/tasks/task_request.hpp"
#include "common/base/nearest.hpp"
#include "common/base/text.hpp"
#include "common/kinds/kinds.hpp"
#include "common/process/system.hpp"

// Sets of tasks that are tracked as one.
namespace eole::cli {

using client::project_view;

namespace {

constexpr Duration kAskEvery = 1s;  // For as long as one is waited for.
constexpr Duration kLookEvery = 100ms;

struct ProjectOptions {
  std::string name;
  bool waits = false;
  std::string of_command;  // The name behind open, close or cancel.
  std::uint64_t expected = 0;
  bool is_again = false;
  std::string then;
  std::string args_json;
};

struct Seen {
  Value view;
  bool is_opened = false;
  bool is_over = false;  // Its last task, if it has one, too.
  std::string retried_after;  // The last task before a retry that did not come to its end.
};

// The ventilator first: what it does not know any more was counted by the sink.
Seen look_at(Cluster& cluster, const std::string& name) {
  const Value options = Value::Map{{"project", name}};
  const auto live = need(cluster.ventilator.query("project", {}, options));
  const auto ended = need(cluster.sink.query("project", {}, client::ended_options(name, live)));
  if (live.is_null() && ended.is_null())
    throw Failure{kNotDone, text("project ", shown(name), ": nothing is known of it")};
  Seen seen;
  seen.view = project_view(live, ended);
  seen.is_opened = live["is_opened"] == Value(true);
  Value result;
  if (const auto id = live["collected"].text_or(""); !id.empty())
    result = need(cluster.sink.query("result", need_id(id)));
  if (result["state"].text_or("") == "retrying") result = {};
  const auto* has_last = live["has_collect"].as<bool>();
  const bool is_missing = has_last != nullptr && *has_last && result.is_null();
  seen.is_over = seen.view["state"].text_or("") == "over" && !is_missing;
  seen.retried_after = live["retried_after"].text_or("");
  seen.view.set("result", std::move(result));
  return seen;
}

// A name that is mistyped would be another project, closed from its beginning.
void need_known(Cluster& cluster, const std::string& name) {
  const Value options = Value::Map{{"project", name}};
  if (!need(cluster.ventilator.query("project", {}, options)).is_null()) return;
  if (need(cluster.sink.query("project", {}, options)).is_null())
    throw Failure{kNotDone, text("project ", shown(name), ": nothing is known of it")};
}

std::int64_t not_done(const Value& view) {
  return view["failed"].int_or(0) + view["dead"].int_or(0) + view["cancelled"].int_or(0);
}

std::string counts(const Value& view, const std::vector<const char*>& names) {
  std::string line;
  for (const auto* name : names)
    line += text(line.empty() ? "  " : ", ", view[name].int_or(0), " ", name);
  return line;
}

void print_project(const Value& view) {
  const auto* progress = view["progress"].as<double>();
  auto line =
      text(shown(view["project"].text_or("")), "  ", coloured_state(view["state"].text_or("")),
           "  ", view["tasks"].int_or(0), view["tasks"].int_or(0) == 1 ? " task" : " tasks");
  if (!view["expected"].is_null()) line += text(" of ", view["expected"].int_or(0), " expected");
  line += text("  ", static_cast<int>(100 * *progress), " %");
  if (const auto* eta = view["eta_seconds"].as<double>(); eta != nullptr && *eta > 0)
    line += "  ETA " + human_seconds(*eta);
  std::puts(line.c_str());
  std::puts(counts(view, {"waiting", "queued", "running"}).c_str());
  std::puts(counts(view, {"done", "failed", "dead", "cancelled"}).c_str());
  if (!view["result"].is_null()) print_result(view["result"]);
}

void wait_until_over(Cluster& cluster, const std::string& name, Seen& seen) {
  process::StopSignal stop;
  ProgressLine line;
  std::optional<ProjectProgress> progress;  // For people.
  if (!seen.is_over && is_terminal(2)) progress.emplace(cluster, name);
  for (; !seen.is_over; seen = look_at(cluster, name)) {
    end_if_unread();
    const auto ended = seen.view["done"].int_or(0) + not_done(seen.view);
    const auto total = std::max(seen.view["tasks"].int_or(0), seen.view["expected"].int_or(0));
    line.show(static_cast<std::uint64_t>(ended), static_cast<std::uint64_t>(total),
              progress ? progress->text() : "", static_cast<std::uint64_t>(not_done(seen.view)));
    const auto until = process::now() + kAskEvery;
    bool is_stopped = false;
    while (!is_stopped && process::now() < until) {
      if (progress) progress->hear(kLookEvery);
      pollfd stopping{stop.fd(), POLLIN, 0};
      ::poll(&stopping, 1, progress ? 0 : static_cast<int>(kLookEvery / 1ms));
      is_stopped = stop.take() > 0;
    }
    if (!is_stopped) continue;
    line.clear();
    throw Failure{kNotDone, text("project ", shown(name), ": stopped waiting; its tasks go on")};
  }
}

int show(const ProjectOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  auto seen = look_at(cluster, options.name);
  if (options.waits) wait_until_over(cluster, options.name, seen);
  globals.json ? print_json(seen.view) : print_project(seen.view);
  if (!options.waits) return kDone;
  const auto& result = seen.view["result"];
  if (!result.is_null() && result["state"].text_or("") != "done") return kNotDone;
  // What was done anew is no longer missing.
  return not_done(seen.view) == 0 || missing_of(cluster, options.name).parts.empty() ? kDone
                                                                                     : kNotDone;
}

// Opened anew, fed and closed: then its last task comes anew, too.
int retry(const ProjectOptions& options, const Globals& globals) {
  const auto& name = options.of_command;
  Cluster cluster(globals);
  const auto seen = look_at(cluster, name);
  const bool is_begun = !seen.retried_after.empty();
  if (!seen.is_over && !is_begun)
    throw Failure{kBadUse, text("project ", shown(name),
                                ": is not over, what runs is not missing "
                                "(close or cancel it first)")};
  const auto missing = missing_of(cluster, name, seen.retried_after);
  const auto& result = seen.view["result"];
  const bool is_good = !is_begun && (result.is_null() || result["state"].text_or("") == "done");
  if (!missing.parts.empty() || !is_good) {
    auto tasks = tasks_anew(cluster, missing);  // Before anything changes.
    const auto control = [&](const char* what, Value::Map wish) {
      wish.emplace_back("project", name);
      return need(
          cluster.ventilator.ask(protocol::Control{0, what, Value(std::move(wish)).to_msgpack()}));
    };
    std::string after;
    if (seen.is_opened) after = control("open", {{"is_retry", true}})["retried_after"].text_or("");
    Submission submission(cluster, "", false, client::retry_key(name, after));
    for (const auto& task : tasks) submission.add(task);
    submission.finish();
    if (seen.is_opened) control("close", {});
  }
  const auto count = missing.parts.size();
  if (globals.json)
    return print_json(Value::Map{{"project", name}, {"retried", std::uint64_t{count}}}), kDone;
  if (count == 0 && is_good)
    return std::printf("%s: nothing is missing\n", shown(name).c_str()), kDone;
  std::printf("%s: %zu %s tried again%s\n", shown(name).c_str(), count,
              count == 1 ? "task is" : "tasks are",
              result.is_null() ? "" : ", and its last task then");
  return kDone;
}

void print_row(const Value& view, const Globals& globals) {
  if (globals.json) return print_json(view);
  auto line = text(cell(view["project"].text_or(""), 18), " ", cell(view["state"].text_or(""), 6));
  for (const auto* name : {"waiting", "queued", "running", "done", "failed", "dead", "cancelled"})
    line += text(" ", cell(text(view[name].int_or(0)), 7));
  std::puts(line.c_str());
}

// By name; both lists are.
int list(const Globals& globals) {
  Cluster cluster(globals);
  std::map<std::string, Value> live;
  each_project(cluster.ventilator, [&](const Value& project) {
    live.emplace(project["project"].text_or(""), project);
    return true;
  });
  if (!globals.json)
    std::printf("%-18s %-6s %-7s %-7s %-7s %-7s %-7s %-7s %s\n", "PROJECT", "STATE", "WAITING",
                "QUEUED", "RUNNING", "DONE", "FAILED", "DEAD", "CANCELLED");
  const auto print_until = [&](const std::string* name) {
    while (!live.empty() && (name == nullptr || live.begin()->first < *name)) {
      print_row(project_view(live.begin()->second, {}), globals);
      live.erase(live.begin());
    }
  };
  each_project(cluster.sink, [&](const Value& ended) {
    const auto name = ended["project"].text_or("");
    print_until(&name);
    const auto found = live.find(name);
    print_row(project_view(found == live.end() ? Value() : found->second, ended), globals);
    if (found != live.end()) live.erase(found);
    return true;
  });
  print_until(nullptr);
  return kDone;
}

Bytes args_of(const std::string& json) {
  const auto args = Value::from_json(json);
  if (!args) throw Failure{kBadUse, text("--args: ", args.error().message)};
  return args->to_msgpack();
}

// A submit's payload of the one task.
Bytes last_task(Cluster& cluster, const ProjectOptions& options) {
  TaskRequest task;
  task.task_class.kind = options.then;
  if (kinds::find(options.then) == nullptr && options.args_json.empty()) {
    std::vector<std::string> known;
    for (const auto& kind : kinds::all()) known.emplace_back(kind.name);
    const auto near = nearest(options.then, known);
    throw Failure{kBadUse,
                  text("--then ", shown(options.then), ": no kind of that name comes with Eole",
                       near.empty() ? "" : text("; did you mean ", near, "?"),
                       " (of a kind of your own give the arguments as --args JSON)")};
  }
  if (!options.args_json.empty()) task.args = args_of(options.args_json);
  if (const auto good = check(task); !good)
    throw Failure{kBadUse, text("--then ", shown(options.then), ": ", shown(good.error().message))};
  look_for_workers(cluster, task);
  protocol::TaskGroups groups;
  groups.add(task.task_class, task.args, {});
  return groups.take();
}

int tell(const std::string& what, const ProjectOptions& options, const Globals& globals) {
  if (options.of_command.empty()) throw Failure{kBadUse, text("project ", what, ": give its name")};
  if (!options.name.empty())
    throw Failure{kBadUse, text("project ", what, ": not expected: ", shown(options.name))};
  if (options.waits)
    throw Failure{kBadUse, text("project ", what, ": --wait goes with a project's name alone")};
  if (!options.args_json.empty() && options.then.empty())
    throw Failure{kBadUse, "project open: --args goes with --then"};
  if (what == "retry") return retry(options, globals);
  Value wish = Value::Map{{"project", options.of_command}};
  if (options.expected > 0) wish.set("expected", options.expected);
  if (options.is_again) wish.set("is_again", true);
  Cluster cluster(globals);
  if (!options.then.empty()) wish.set("collect", protocol::Blob{last_task(cluster, options)});
  if (what != "open") need_known(cluster, options.of_command);
  const auto ask = [&] {
    return need(cluster.ventilator.ask(protocol::Control{0, what, wish.to_msgpack()}));
  };
  auto answer = ask();
  auto cancelling = answer["cancelling"].int_or(0);
  while (!answer["next"].is_null()) {
    wish.set("after", answer["next"]);
    answer = ask();
    cancelling += answer["cancelling"].int_or(0);
  }
  Value view = Value::Map{{"project", answer["project"]}, {"state", answer["state"]}};
  if (what == "cancel") view.set("cancelling", cancelling);
  if (globals.json) return print_json(view), kDone;
  auto line = text(shown(options.of_command), " is ", shown(answer["state"].text_or("")));
  if (what == "cancel")
    line += text("; ", cancelling, cancelling == 1 ? " task is" : " tasks are", " being cancelled");
  std::puts(line.c_str());
  return kDone;
}

Command* add_command(Command& project, ProjectOptions& options, const std::string& what,
                     const std::string& about) {
  auto* command = project.add_subcommand(what, about);
  command->add_option("project", options.of_command, "its name");
  return command;
}

void add_open(Command& project, ProjectOptions& options) {
  auto* open = add_command(project, options, "open", "Open one: what is told of it is kept");
  open->add_option("--expect", options.expected, "it closes itself with so many tasks")
      ->check(whole_number(1, kCountMax));
  open->add_option("--then", options.then, "the kind of its last task, run once it is over")
      ->type_name("KIND");
  open->add_flag("--again", options.is_again, "also if it was closed: it takes tasks once more");
  open->add_option("--args", options.args_json, "the last task's arguments")->type_name("JSON");
  open->footer(
      "What ended before it was opened does not count for --expect: open it first.\n"
      "Once it is closed, by --expect or `eole project close`, it takes no more tasks;\n"
      "it is over once all have ended, and the last task runs then, once, in project\n"
      "NAME/collect, however its tasks ended.\n"
      "`--then collect` puts the tasks' outputs together, in the order of the tasks: see\n"
      "`eole submit collect --help`. A command of yours gets them as a file of JSON lines,\n"
      "whose path stands where its arguments have {\"$parts\": true}.\n"
      "Examples:\n"
      "  eole project open photos --expect 500 --then collect --args '{\"how\": \"json\"}'\n"
      "  eole project open a --then exec --args '{\"argv\": [\"./sum\", {\"$parts\": true}]}'\n"
      "  eole project open photos --then echo --args '{\"all\": \"there\"}'");
}

}  // namespace

void add_project(Command& app, Globals& globals) {
  auto* command =
      app.add_subcommand("project", "List projects, show, open, close, cancel, retry one");
  auto options = std::make_shared<ProjectOptions>();
  command->add_option("name", options->name, "the project to show; without it all are listed");
  command->add_flag("--wait", options->waits, "until it is over and its last task has ended");
  command->add_flag("--json", globals.json, "one JSON object a project");
  add_open(*command, *options);
  add_command(*command, *options, "close", "It takes no more tasks");
  add_command(*command, *options, "cancel", "Close it, and cancel what is not settled of it");
  add_command(*command, *options, "retry",
              "Do anew what was not done of one that is over, and its last task then");
  command->footer(
      "A project is the set of tasks that name it. It is open, closed (takes no more\n"
      "tasks) or over: closed and all have ended, or never opened and none is left.\n"
      "progress is that of the expected tasks, if a number was given; what runs counts\n"
      "as far as it says it is. The ETA goes by the rate so far, and is not known of\n"
      "what waits. A list's JSON has no `result`: that of the last task; in a list, a\n"
      "task that ends meanwhile may be counted twice for a moment.\n"
      "Examples:\n"
      "  eole project                      all, a line each\n"
      "  eole project photos --wait        until it is over, then its counts\n"
      "  eole project open photos --expect 500\n"
      "  eole project cancel photos\n"
      "  eole project retry photos         what failed, died or was cancelled, once more\n"
      "Exit codes: 0 shown or told (with --wait: all are done, its last task too),\n"
      "1 no such project, some are not done, or Ctrl-C, 2 bad input or refused,\n"
      "3 no answer.");
  command->callback([=, &globals] {
    const auto chosen = command->chosen();
    if (!chosen.empty())
      globals.exit_code = tell(chosen, *options, globals);
    else if (!options->name.empty())
      globals.exit_code = show(*options, globals);
    else if (options->waits)
      throw Failure{kBadUse, "project: --wait needs a project's name"};
    else
      globals.exit_code = list(globals);
  });
}

}  // namespace eole::cli
