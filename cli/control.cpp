#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"

// What an operator wants to hold from now on.
namespace eole::cli {

namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(50);

Value control(Cluster& cluster, const std::string& what, Value options) {
  return need(cluster.ventilator.ask(protocol::Control{0, what, options.to_msgpack()}));
}

int run(const std::string& what, const std::string& scope, const Globals& globals) {
  Cluster cluster(globals);
  const auto answer = control(cluster, what, Value::Map{{"scope", scope}});
  if (globals.json) {
    print_json(answer);
  } else {
    const auto* is_paused = answer["paused"].as<bool>();
    const auto* was_paused = answer["was_paused"].as<bool>();
    const bool is_news = is_paused != nullptr && was_paused != nullptr && *is_paused != *was_paused;
    std::printf("%s %s\n", shown(answer["scope"].text_or("")).c_str(),
                what == "pause" ? (is_news ? "is paused" : "was paused already")
                                : (is_news ? "goes on" : "was not paused"));
  }
  return kDone;
}

// Whether a worker still has any of its tasks.
bool is_held(Cluster& cluster, const std::string& scope) {
  if (scope == "all") return need(cluster.ventilator.query("status"))["running"].int_or(0) > 0;
  const auto colon = scope.find(':');
  const auto of = scope.substr(0, colon);
  const auto name = scope.substr(colon + 1);
  if (of == "worker") {
    std::int64_t held = 0;
    const auto workers = need(cluster.ventilator.query("workers"));
    for (const auto& worker : *workers.as<Value::Array>())
      if (worker["name"].text_or("") == name) held += worker["held"].int_or(0);
    return held > 0;
  }
  bool is_any = false;  // What is queued is looked past, however much there is.
  each_task(cluster, Value::Map{{of, name}, {"state", "running"}}, [&](const Value& task) {
    is_any = task[of].text_or("") == name;
    return !is_any;
  });
  return is_any;
}

int drain(const std::string& scope, bool waits, const Globals& globals) {
  if (const int code = run("pause", scope, globals); code != kDone || !waits) return code;
  Cluster cluster(globals);
  process::StopSignal stop;
  while (is_held(cluster, scope)) {
    if (stop.take() > 0) return kNotDone;
    std::this_thread::sleep_for(kPollEvery);
  }
  return kDone;
}

Command* add(Command& app, Globals& globals, const std::string& what, const std::string& about,
             std::shared_ptr<std::string> scope) {
  auto* command = app.add_subcommand(what, about);
  command->add_option("scope", *scope, "all, kind:K, project:P or worker:W")->required();
  command->add_flag("--json", globals.json, "one JSON object");
  return command;
}

void add_pause(Command& app, Globals& globals) {
  auto scope = std::make_shared<std::string>();
  auto* command = add(app, globals, "pause", "Start nothing new of a kind, project or worker", scope);
  command->footer(
      "What workers have already goes on to its end; the rest waits until `eole resume`, also\n"
      "across restarts. `eole status` lists what is paused. Needs the role admin.\n"
      "Examples:\n"
      "  eole pause project:photos\n"
      "  eole pause all");
  command->callback([scope, &globals] { globals.exit_code = run("pause", *scope, globals); });
}

void add_resume(Command& app, Globals& globals) {
  auto scope = std::make_shared<std::string>();
  auto* command = add(app, globals, "resume", "Let go on what was paused", scope);
  command->callback([scope, &globals] { globals.exit_code = run("resume", *scope, globals); });
}

void add_drain(Command& app, Globals& globals) {
  auto scope = std::make_shared<std::string>();
  auto waits = std::make_shared<bool>(false);
  auto* command =
      add(app, globals, "drain", "Pause a worker, a kind, a project or all; what runs ends", scope);
  command->add_flag("--wait", *waits, "until no worker has anything of it");
  command->footer(
      "`eole resume` of the same takes it back.\n"
      "Examples:\n"
      "  eole drain worker:w1 --wait\n"
      "  eole drain all --wait");
  command->callback(
      [scope, waits, &globals] { globals.exit_code = drain(*scope, *waits, globals); });
}

struct LimitOptions {
  std::string scope;
  std::uint64_t running = 0;
  std::string rate;
  std::uint64_t queued = 0;
  std::string bytes;
};

// By the second, or by what makes it one or more.
std::string written_rate(const Value& rate) {
  const auto* real = rate.as<double>();
  double tasks = real == nullptr ? static_cast<double>(rate.int_or(0)) : *real;
  const char* unit = "s";
  for (const char* longer : {"m", "h"})
    if (tasks < 1) tasks *= 60, unit = longer;
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%g/%s", tasks, unit);
  return out.data();
}

void print_limit(const Value& limit, const Globals& globals) {
  if (globals.json) return print_json(limit);
  auto line = shown(limit["scope"].text_or(""));
  if (const auto running = limit["running"].int_or(0); running > 0)
    line += text("  running ", running);
  if (!limit["rate"].is_null()) line += "  rate " + written_rate(limit["rate"]);
  if (const auto queued = limit["queued"].int_or(0); queued > 0) line += text("  queued ", queued);
  if (const auto bytes = limit["bytes"].int_or(0); bytes > 0)
    line += "  bytes " + human_bytes(static_cast<double>(bytes));
  if (limit.as<Value::Map>() != nullptr && limit.as<Value::Map>()->size() == 1)
    line += "  no limit";
  std::puts(line.c_str());
}

// "20/s", "100/m", "5/h", or a number a second.
Expected<double> parse_rate(const std::string& written) {
  const auto slash = written.find('/');
  const auto unit = slash == std::string::npos ? "s" : written.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  const auto number = written.substr(0, slash);
  char* end = nullptr;
  const double tasks = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || seconds == 0 || !(tasks > 0))
    return Error{text("--rate ", written, ": is a number of tasks like 20/s, 100/m or 5/h")};
  return tasks / seconds;
}

int set_limit(const LimitOptions& options, const Globals& globals) {
  Value limit = Value::Map{{"scope", options.scope}};
  if (options.running > 0) limit.set("running", options.running);
  if (options.queued > 0) limit.set("queued", options.queued);
  if (!options.bytes.empty()) limit.set("bytes", need(process::parse_size(options.bytes, 1)));
  if (limit.as<Value::Map>()->size() == 1 && options.rate.empty())
    throw Failure{kBadUse, "limit set: give --running, --rate, --queued or --bytes"};
  if (!options.rate.empty()) limit.set("rate", need(parse_rate(options.rate)));
  Cluster cluster(globals);
  print_limit(control(cluster, "limit", std::move(limit)), globals);
  return kDone;
}

void add_limit(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("limit", "How many tasks run at a time, or begin a second");
  command->require_subcommand(1, 1);
  auto options = std::make_shared<LimitOptions>();
  auto* set = command->add_subcommand("set", "Limit a kind, a project, a key, a tenant or all");
  set->add_option("scope", options->scope, "all, kind:K, project:P, key:K or tenant:PREFIX")
      ->required();
  set->add_option("--running", options->running, "tasks at a time")
      ->check(whole_number(1, kCountMax));
  set->add_option("--rate", options->rate,
                  "tasks that begin, of a tenant that are accepted: 20/s, 100/m or 5/h");
  set->add_option("--queued", options->queued, "of a tenant: tasks that have not ended")
      ->check(whole_number(1, kCountMax));
  set->add_option("--bytes", options->bytes, "of a tenant: bytes of those, like 1GiB")
      ->check(size_from(1));
  set->add_flag("--json", globals.json, "one JSON object");
  set->footer(
      "In place of what was set for the same before. A task counts as running from its dispatch\n"
      "on, so what a worker holds in advance counts too. Of a key one task runs at a time: it has\n"
      "a rate only. A tenant is all projects with a prefix: what is beyond is refused when it is\n"
      "submitted. Needs the role admin.\n"
      "Examples:\n"
      "  eole limit set kind:download --running 8 --rate 20/s\n"
      "  eole limit set key:example.org --rate 2/s\n"
      "  eole limit set tenant:acme/ --queued 10000 --bytes 1GiB --rate 100/s");
  set->callback([options, &globals] { globals.exit_code = set_limit(*options, globals); });
  auto* list = command->add_subcommand("list", "List the limits that are set");
  list->add_flag("--json", globals.json, "one JSON object a line");
  list->callback([&globals] {
    Cluster cluster(globals);
    const auto limits = need(cluster.ventilator.query("limits"));
    if (const auto* all = limits.as<Value::Array>())
      for (const auto& limit : *all) print_limit(limit, globals);
  });
  auto* clear = command->add_subcommand("clear", "Take a limit back");
  clear->add_option("scope", options->scope, "all, kind:K, project:P, key:K or tenant:PREFIX")
      ->required();
  clear->add_flag("--json", globals.json, "one JSON object");
  clear->callback([options, &globals] {
    Cluster cluster(globals);
    print_limit(control(cluster, "limit", Value::Map{{"scope", options->scope}}), globals);
  });
}

}  // namespace

void add_control(Command& app, Globals& globals) {
  add_pause(app, globals);
  add_resume(app, globals);
  add_drain(app, globals);
  add_limit(app, globals);
}

}  // namespace eole::cli
