#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "cli/submission.hpp"
#include "clients/cpp/artifact_client.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

struct SubmitOptions {
  std::string kind;
  std::vector<std::string> rest;
  std::string args_json;
  std::string file;
  std::string project;
  std::string key;
  bool retry = false;
  bool wait = false;
  std::uint32_t attempts = 0;
  // Of single kinds.
  std::string sha256;
  std::string name;
  int quality = 0;
  int width = 0;
  int height = 0;
  std::string shell;
  std::string stdin_text;
  std::string cwd;
  std::vector<std::string> env;
  double timeout = 0;
  std::int64_t size_max = 0;
};

// One line of JSON: {"kind", "args"?, "project"?, "retry"?, "attempts"?}.
TaskRequest parse_line(const std::string& line, std::uint64_t number,
                       const SubmitOptions& options) {
  const auto fail = [&](const std::string& why) -> TaskRequest {
    throw Failure{kBadUse, text("line ", number, ": ", why)};
  };
  const auto json = Value::from_json(line);
  if (!json) return fail(json.error().message);
  const auto* members = json->as<Value::Map>();
  if (members == nullptr) return fail("not an object");
  TaskRequest task;
  task.project = options.project;
  task.retry = options.retry;
  task.attempts_max = static_cast<std::uint8_t>(options.attempts);
  for (const auto& [name, value] : *members) {
    if (name == "kind")
      task.kind = value.text_or("");
    else if (name == "args")
      task.args = value;
    else if (name == "project")
      task.project = value.text_or("");
    else if (name == "retry")
      task.retry = value.as<bool>() != nullptr && *value.as<bool>();
    else if (name == "attempts") {
      if (value.int_or(0) < 1 || value.int_or(0) > 255) return fail("attempts: 1 to 255");
      task.attempts_max = static_cast<std::uint8_t>(value.int_or(0));
    } else
      return fail(text(name, ": not known; kind, args, project, retry and attempts are"));
  }
  if (task.kind.empty()) return fail("kind is missing");
  return task;
}

void set_if(Value& args, const char* name, const Value& value, bool is_given) {
  if (is_given) args.set(name, value);
}

bool is_url(const std::string& written) {
  return written.starts_with("http://") || written.starts_with("https://");
}

// The tasks that the words after a kind mean: one per URL, file or number; one command.
std::vector<Value> args_of(const SubmitOptions& options, Cluster& cluster) {
  std::vector<Value> list;
  if (!options.args_json.empty()) {
    list.push_back(need(Value::from_json(options.args_json), kBadUse));
    return list;
  }
  const auto& kind = options.kind;
  if (kind == "exec") {
    Value args = Value::Map{};
    if (!options.shell.empty()) {
      args.set("shell", options.shell);
    } else {
      Value::Array argv(options.rest.begin(), options.rest.end());
      if (argv.empty()) throw Failure{kBadUse, "exec: give a command, or --shell TEXT"};
      args.set("argv", std::move(argv));
    }
    Value::Map env;
    for (const auto& entry : options.env)
      env.emplace_back(entry.substr(0, entry.find('=')), entry.substr(entry.find('=') + 1));
    set_if(args, "env", env, !env.empty());
    set_if(args, "stdin", options.stdin_text, !options.stdin_text.empty());
    set_if(args, "cwd", options.cwd, !options.cwd.empty());
    set_if(args, "timeout", options.timeout, options.timeout > 0);
    list.push_back(std::move(args));
    return list;
  }
  if (kind == "echo") {
    std::string joined;
    for (const auto& word : options.rest) joined += (joined.empty() ? "" : " ") + word;
    list.push_back(Value::Map{{"text", joined}});
    return list;
  }
  if (options.rest.empty())
    throw Failure{kBadUse, text(kind, ": give what to work on, or --args JSON")};
  for (const auto& word : options.rest) {
    Value args = Value::Map{};
    if (kind == "download") {
      args.set("url", word);
      set_if(args, "sha256", options.sha256, !options.sha256.empty());
      set_if(args, "name", options.name, !options.name.empty());
      set_if(args, "size_max", options.size_max, options.size_max > 0);
      set_if(args, "timeout", options.timeout, options.timeout > 0);
    } else if (kind == "image") {
      if (is_url(word)) {
        args.set("url", word);
      } else if (is_sha256(word)) {
        args.set("artifact", word);
      } else {
        client::ArtifactClient artifacts(cluster.context, cluster.file);
        args.set("artifact", need(artifacts.put(word)).sha256);
      }
      args.set("name", word.substr(word.find_last_of('/') + 1));
      set_if(args, "quality", options.quality, options.quality > 0);
      set_if(args, "width", options.width, options.width > 0);
      set_if(args, "height", options.height, options.height > 0);
    } else if (kind == "sleep" || kind == "nqueens") {
      char* end = nullptr;
      const double number = std::strtod(word.c_str(), &end);
      if (*end != '\0') throw Failure{kBadUse, text(kind, ": ", word, " is not a number")};
      kind == "sleep" ? args.set("seconds", number)
                      : args.set("n", static_cast<std::int64_t>(number));
    } else {
      throw Failure{kBadUse, text(kind, ": give its arguments as --args JSON")};
    }
    list.push_back(std::move(args));
  }
  return list;
}

void warn_if_nobody_runs(Cluster& cluster, const std::string& kind) {
  const auto workers = cluster.ventilator.query("workers");
  const auto* list = workers ? workers->as<Value::Array>() : nullptr;
  if (list == nullptr) return;
  for (const auto& worker : *list)
    if (("," + worker["kinds"].text_or("") + ",").find("," + kind + ",") != std::string::npos)
      return;
  std::fprintf(stderr, "eole: no connected worker runs %s%s; the task waits for one\n",
               kind.c_str(), kind == "exec" ? " (start one with --allow-exec)" : "");
}

int run(const SubmitOptions& options, const Globals& globals) {
  if (options.kind.empty() && options.file.empty())
    throw Failure{kBadUse, "submit: give a kind (download, image, exec, …), or --file"};
  Cluster cluster(globals);
  Submission submission(cluster, options.key);
  const bool is_json = globals.json || !options.file.empty();
  if (!options.file.empty()) {
    std::ifstream opened;
    if (options.file != "-") {
      opened.open(options.file);
      if (!opened) throw Failure{kBadUse, text(options.file, ": cannot be read")};
    }
    std::istream& input = options.file == "-" ? std::cin : opened;
    std::string line;
    for (std::uint64_t number = 1; std::getline(input, line); ++number)
      if (line.find_first_not_of(" \t\r") != std::string::npos)
        submission.add(parse_line(line, number, options));
  } else {
    for (auto& args : args_of(options, cluster))
      submission.add({options.kind, options.project, std::move(args), options.retry,
                      static_cast<std::uint8_t>(options.attempts)});
    warn_if_nobody_runs(cluster, options.kind);
  }
  submission.finish();
  if (options.wait) {
    const bool all_done = submission.wait(
        [&](const Value& view) { is_json ? print_json(view) : print_result(view); });
    return all_done ? kDone : kNotDone;
  }
  std::string lines;
  for (const auto& range : submission.ids()) {
    for (auto seq = range.first; seq < range.first + range.count; ++seq) {
      const auto id = to_text(TaskId{range.origin, seq});
      lines += is_json ? text("{\"id\":\"", id, "\"}\n") : id + "\n";
      if (lines.size() > 65536) {
        std::fwrite(lines.data(), 1, lines.size(), stdout);
        lines.clear();
      }
    }
  }
  std::fwrite(lines.data(), 1, lines.size(), stdout);
  return kDone;
}

}  // namespace

void add_submit(CLI::App& app, Globals& globals) {
  auto* command =
      app.add_subcommand("submit", "Submit tasks; print their ids once they are durable");
  auto options = std::make_shared<SubmitOptions>();
  command->add_option("kind", options->kind, "download, image, exec, nqueens, echo, sleep, …");
  command->add_option("what", options->rest,
                      "URLs, files or numbers (one task each); for exec the command, after --");
  command->add_option("--args", options->args_json, "the task's arguments as JSON");
  command->add_option("--file", options->file,
                      "tasks as JSON lines {kind, args, project, retry, attempts}; - is stdin");
  command->add_option("--project", options->project, "the set that the tasks belong to");
  command->add_option("--key", options->key,
                      "the same key with the same tasks is accepted once, however often submitted");
  command->add_flag("--retry", options->retry, "try again if the task fails");
  command->add_option("--attempts", options->attempts, "attempts before it is a dead letter [5]")
      ->check(CLI::Range(1, 255));
  command->add_flag("--wait", options->wait,
                    "wait; print results in task order; exit 0 only if all are done");
  command->add_option("--sha256", options->sha256, "download: the digest that it must have");
  command->add_option("--name", options->name, "download: the file's name");
  command->add_option("--size-max", options->size_max, "download: bytes at most");
  command->add_option("--quality", options->quality, "image: JPEG quality [85]")
      ->check(CLI::Range(1, 100));
  command->add_option("--width", options->width, "image: shrink to fit this width");
  command->add_option("--height", options->height, "image: shrink to fit this height");
  command->add_option("--shell", options->shell, "exec: one line for /bin/sh");
  command->add_option("--stdin", options->stdin_text, "exec: standard input");
  command->add_option("--cwd", options->cwd, "exec: working directory");
  command->add_option("--env", options->env, "exec: NAME=VALUE, repeatable");
  command->add_option("--timeout", options->timeout, "exec, download: seconds");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->callback([options, &globals] { globals.exit_code = run(*options, globals); });
}

void add_nqueens(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("nqueens", "Count N-queens solutions over the workers");
  auto n = std::make_shared<int>(0);
  command->add_option("n", *n, "queens, 1 to 20")->required()->check(CLI::Range(1, 20));
  command->add_flag("--json", globals.json, "one JSON object");
  command->callback([n, &globals] {
    Cluster cluster(globals);
    Submission submission(cluster, "");
    constexpr int kSplitFrom = 5;  // Below it the whole board is one task.
    const auto project = text("nqueens-", *n);
    const auto started = std::chrono::steady_clock::now();
    if (*n < kSplitFrom) submission.add({"nqueens", project, Value::Map{{"n", *n}}});
    for (int first = 0; *n >= kSplitFrom && first < *n; ++first)
      for (int second = 0; second < *n; ++second)
        if (second < first - 1 || second > first + 1)
          submission.add(
              {"nqueens", project, Value::Map{{"n", *n}, {"prefix", Value::Array{first, second}}}});
    submission.finish();
    std::int64_t solutions = 0;
    const bool all_done = submission.wait(
        [&](const Value& view) { solutions += view["value"]["solutions"].int_or(0); });
    if (!all_done) throw Failure{kNotDone, "nqueens: a part of the board was not done"};
    const auto seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (globals.json) {
      print_json(Value::Map{{"n", *n},
                            {"solutions", solutions},
                            {"tasks", submission.count()},
                            {"seconds", seconds}});
    } else {
      std::printf(
          "%d queens: %lld solutions, %llu tasks, %s\n", *n, static_cast<long long>(solutions),
          static_cast<unsigned long long>(submission.count()), human_seconds(seconds).c_str());
    }
  });
}

}  // namespace eole::cli
