#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <set>

#include "cli/artifact_files.hpp"
#include "cli/kind_options.hpp"
#include "cli/pins.hpp"
#include "cli/submission.hpp"
#include "cli/word_flags.hpp"
#include "common/base/counted.hpp"
#include "common/base/nearest.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

struct SubmitOptions {
  KindWords words;
  std::string other_kind;  // One that does not come with Eole.
  std::string args_json;
  std::string file;
  std::string key;
  SaidWords said;  // Of every task.
  bool wait = false;
  std::string to;  // A directory for their files; empty: none.
  const kinds::OfferedKinds* offered = nullptr;  // What is known of them beforehand.
};

client::TaskLines tasks_of_file(const SubmitOptions& options) {
  std::ifstream opened;
  if (options.file != "-") {
    opened.open(options.file);
    if (!opened || std::filesystem::is_directory(options.file))
      throw Failure{kBadUse, text(options.file, ": cannot be read")};
  }
  auto tasks =
      client::TaskLines::read(options.file == "-" ? std::cin : opened, task_said(options.said));
  if (!tasks)
    throw Failure{kBadUse, text(options.file, ": nothing was submitted\n", tasks.error().message)};
  return std::move(*tasks);
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const auto& kind : kinds::all()) names.emplace_back(kind.name);
  return names;
}

std::vector<TaskRequest> tasks_of_words(const std::string& name, const SubmitOptions& options,
                                        Cluster& cluster) {
  const auto* kind = options.offered->find(name);
  std::vector<Value> list;
  if (!options.args_json.empty()) {
    auto args = Value::from_json(options.args_json);
    if (!args) throw Failure{kBadUse, text("--args: ", args.error().message)};
    list.push_back(std::move(*args));
  } else if (kind != nullptr) {
    list = args_of(*kind, options.words, cluster);
  } else {
    const auto near = nearest(name, kind_names());
    throw Failure{kBadUse, text(name, ": no kind of that name comes with Eole",
                                near.empty() ? "" : text("; did you mean ", near, "?"),
                                " (of a kind of your own give the arguments as --args JSON)")};
  }
  std::vector<TaskRequest> tasks;
  for (const auto& args : list) {
    auto task = task_said(options.said);
    task.task_class.kind = name;
    task.args = args.to_msgpack();
    need(check(task), kBadUse);
    tasks.push_back(std::move(task));
  }
  for (const auto& wrong : resolve_parents(tasks))
    throw Failure{kBadUse, shown(wrong.error.message)};
  return tasks;
}

/// Arguments that runners do not take, of the kinds that they describe.
class BadOffered {
 public:
  explicit BadOffered(const kinds::OfferedKinds& offered) : offered_(offered) {}
  void look(TaskRequest& task) {
    if (kinds::find(task.task_class.kind) != nullptr) return;  // Checked when it was read.
    task.offered = &offered_;
    const auto checked = check(task);
    task.offered = nullptr;
    is_of_file_ = task.line > 0;
    if (checked || ++bad_ > client::kBadLinesShown) return;
    said_ += text(said_.empty() ? "" : "\n", is_of_file_ ? text("line ", task.line, ": ") : "",
                  shown(checked.error().message));
  }
  void refuse() const {
    if (bad_ == 0) return;
    const auto more = bad_ > client::kBadLinesShown
                          ? text("\nand ", bad_ - client::kBadLinesShown, " more bad lines")
                          : "";
    throw Failure{kBadUse, text(is_of_file_ ? "nothing was submitted\n" : "", said_, more)};
  }

 private:
  const kinds::OfferedKinds& offered_;
  std::string said_;
  std::size_t bad_ = 0;
  bool is_of_file_ = false;
};

EachTask each_of(std::vector<TaskRequest>& tasks) {
  return [&](const auto& on_task) {
    for (auto& task : tasks) on_task(task);
  };
}

EachTask each_of(const client::TaskLines& tasks) {
  return [&](const auto& on_task) {
    need(tasks.each([&](TaskRequest& task) { return on_task(task), Expected<void>(); }), kBadUse);
  };
}

void print_ids(const Submission& submission, bool is_json) {
  std::string lines;
  for (const auto& range : submission.ids()) {
    for (auto seq = range.first; seq < range.first + range.count; ++seq) {
      const auto id = to_text(TaskId{range.origin, seq});
      lines += is_json ? text("{\"id\":\"", id, "\"}\n") : id + "\n";
      if (lines.size() > 65536) std::fwrite(lines.data(), 1, lines.size(), stdout), lines.clear();
    }
  }
  std::fwrite(lines.data(), 1, lines.size(), stdout);
}

// What says all of a task, as words of a command.
void add_task_words(Command& command, SubmitOptions& options) {
  add_kinds(command, *options.offered, options.words);
  command.add_option("kind", options.other_kind, "a kind of your own, with --args");
  command.add_option("words", options.words.words)->hidden();  // Of a misspelt kind.
  command.add_option("--args", options.args_json, "the task's arguments as JSON, of any kind");
  for (const auto& word : task_words()) add_flag(command, word, options.said);
}

std::string kind_of(const Command& command, const SubmitOptions& options) {
  const auto chosen = command.chosen();
  return chosen.empty() ? options.other_kind : chosen;
}

int run(const std::string& kind, SubmitOptions& options, const Globals& globals) {
  if (kind.empty() == options.file.empty())
    throw Failure{kBadUse, "submit: give a kind (download, image, exec, …) or --file"};
  const bool is_json = globals.json || !options.file.empty();
  // Read whole before anything is asked: a file of tasks is submitted whole or not at all.
  std::optional<client::TaskLines> lines;
  if (!options.file.empty()) lines.emplace(tasks_of_file(options));
  Cluster cluster(globals);
  std::vector<TaskRequest> tasks;
  if (!lines) tasks = tasks_of_words(kind, options, cluster);
  const auto each = lines ? each_of(*lines) : each_of(tasks);
  look_for_workers(cluster, each);
  std::optional<FilesOfResults> files;
  if (!options.to.empty()) files.emplace(cluster, options.to);
  Submission submission(cluster, options.key, options.wait);
  const auto total = lines ? lines->size() : tasks.size();
  try {
    each([&](const TaskRequest& task) { submission.add(task); });
    submission.finish();
  } catch (const Failure& failure) {
    if (submission.count() == 0) throw;
    print_ids(submission, is_json);
    throw Failure{
        failure.exit_code,
        text(failure.message, "\n", submission.count(), " of ", counted(total, "task"), ' ',
             submission.count() == 1 ? "was accepted: its id is printed"
                                     : "were accepted: their ids are printed")};
  }
  if (!options.wait) return print_ids(submission, is_json), kDone;
  bool are_laid = true;
  const bool all_done = submission.wait([&](const Value& view) {
    is_json ? print_json(view) : print_result(view);
    if (files && !files->lay(view)) are_laid = false;
  });
  return all_done && are_laid ? kDone : kNotDone;
}

// What workers offer; nothing of it if this key may not know.
Expected<Value> ask_kinds(Cluster& cluster) {
  auto told = cluster.ventilator.query("kinds");
  if (!told && told.error().is_silence()) need(Expected<void>(told.error()));
  return told;
}

}  // namespace

// A kind that nobody offers waits for a worker that will; one that is nearly the name of another
// is a mistake, and would wait for ever.
void look_for_workers(Cluster& cluster, const EachTask& each) {
  const auto told = ask_kinds(cluster);
  const auto offered = told ? kinds::OfferedKinds(*told) : kinds::OfferedKinds();
  BadOffered bad(offered);
  std::set<std::string> places;
  std::map<std::string, std::uint64_t> missing;  // And the first line of each.
  each([&](TaskRequest& task) {
    places.insert(task.task_class.place);
    bad.look(task);
    if (!offered.has(task.task_class.kind)) missing.try_emplace(task.task_class.kind, task.line);
  });
  look_for_pins(cluster, places);
  if (!told) return;
  bad.refuse();
  auto known = kind_names();
  known.insert(known.end(), offered.names().begin(), offered.names().end());
  for (const auto& [kind, line] : missing) {
    const auto near = kinds::find(kind) == nullptr ? nearest(kind, known) : std::string();
    if (!near.empty())
      throw Failure{kBadUse, text(line > 0 ? text("nothing was submitted\nline ", line, ": ") : "",
                                  shown(kind), ": no worker runs such a kind; did you mean ",
                                  shown(near), "?")};
    std::fprintf(stderr, "eole: no connected worker runs %s%s; its tasks wait for one\n",
                 shown(kind).c_str(), kind == "exec" ? " (start one with --allow-exec)" : "");
  }
}

void look_for_workers(Cluster& cluster, TaskRequest& task) {
  look_for_workers(cluster, [&](const auto& on_task) { on_task(task); });
}

TaskRequest task_of_words(const std::vector<std::string>& words, Cluster& cluster) {
  CLI::App parser{"", "task"};
  parser.fallthrough();
  Command app(parser);
  const auto told = ask_kinds(cluster);
  const auto offered = told ? kinds::OfferedKinds(*told) : kinds::OfferedKinds();
  SubmitOptions options;
  options.offered = &offered;
  add_task_words(app, options);
  try {
    parser.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    throw Failure{kBadUse, text("the task: ", shown(error.what()))};
  }
  const auto kind = kind_of(app, options);
  if (kind.empty()) throw Failure{kBadUse, "the task: no kind (download, image, exec, …)"};
  auto tasks = tasks_of_words(kind, options, cluster);
  if (tasks.size() != 1)
    throw Failure{kBadUse, text("the task: its words are ", tasks.size(), " tasks, wanted is one")};
  look_for_workers(cluster, tasks.front());
  return std::move(tasks.front());
}

void add_submit(Command& app, Globals& globals) {
  auto* command =
      app.add_subcommand("submit", "Submit tasks; print their ids once they are durable");
  auto options = std::make_shared<SubmitOptions>();
  options->offered = &globals.offered;
  add_task_words(*command, *options);
  command->add_option("--file", options->file,
                      "lines of JSON {kind, args, project, priority, after, …}; - reads them from "
                      "standard input. All are submitted, or none: every bad line is named");
  command->add_option("--key", options->key,
                      "the same tasks under the same key are accepted once (24 h)");
  auto* wait = command->add_flag("--wait", options->wait, "print the results in the tasks' order");
  command
      ->add_option("--to", options->to,
                   "lay their files into this directory, made if it is not there, under their "
                   "names; never over what lies there. With --wait")
      ->type_name("DIR")
      ->needs(wait);
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "`eole submit KIND --help` has what the kind takes.\n\n"
      "  eole submit download https://www.debian.org/ --wait\n"
      "  eole submit image *.jpg --width 1200 --wait --to small\n"
      "  eole submit exec --wait -- sh -c 'make test'\n"
      "  eole submit --file tasks.jsonl --wait\n"
      "  eole submit exec --delay 10m --expires 1h -- ./report\n"
      "  eole submit exec --order-key account-7 -- ./book 100\n\n"
      "Exit codes: 0 accepted (with --wait: all are done, and their files laid), 1 some are\n"
      "not, 2 bad input, 3 no answer from the cluster. What --file reads and prints is JSON;\n"
      "otherwise only --json prints it.");
  command->callback(
      [=, &globals] { globals.exit_code = run(kind_of(*command, *options), *options, globals); });
}

}  // namespace eole::cli
