#include <CLI/CLI.hpp>
#include <thread>

#include "cli/common.hpp"
#include "common/base/text.hpp"
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

// Tasks that workers of this name have.
std::int64_t held_by(Cluster& cluster, const std::string& name) {
  std::int64_t held = 0;
  const auto workers = need(cluster.ventilator.query("workers"));
  for (const auto& worker : *workers.as<Value::Array>())
    if (worker["name"].text_or("") == name) held += worker["held"].int_or(0);
  return held;
}

int drain(const std::string& scope, bool waits, const Globals& globals) {
  constexpr std::string_view kWorker = "worker:";
  if (!scope.starts_with(kWorker)) throw Failure{kBadUse, "drain: give worker: and its name"};
  if (const int code = run("pause", scope, globals); code != kDone || !waits) return code;
  Cluster cluster(globals);
  process::StopSignal stop;
  while (held_by(cluster, scope.substr(kWorker.size())) > 0) {
    if (stop.take() > 0) return kNotDone;
    std::this_thread::sleep_for(kPollEvery);
  }
  return kDone;
}

CLI::App* add(CLI::App& app, Globals& globals, const std::string& what, const std::string& about,
              std::shared_ptr<std::string> scope) {
  auto* command = app.add_subcommand(what, about);
  command->add_option("scope", *scope, "all, kind:K, project:P or worker:W")->required();
  command->add_flag("--json", globals.json, "one JSON object");
  return command;
}

void add_pause(CLI::App& app, Globals& globals) {
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

void add_resume(CLI::App& app, Globals& globals) {
  auto scope = std::make_shared<std::string>();
  auto* command = add(app, globals, "resume", "Let go on what was paused", scope);
  command->callback([scope, &globals] { globals.exit_code = run("resume", *scope, globals); });
}

void add_drain(CLI::App& app, Globals& globals) {
  auto scope = std::make_shared<std::string>();
  auto waits = std::make_shared<bool>(false);
  auto* command = add(app, globals, "drain", "Pause a worker; what it has ends", scope);
  command->add_flag("--wait", *waits, "until it has nothing");
  command->footer(
      "`eole resume worker:W` takes it back.\n"
      "Example:\n"
      "  eole drain worker:w1 --wait");
  command->callback(
      [scope, waits, &globals] { globals.exit_code = drain(*scope, *waits, globals); });
}

}  // namespace

void add_control(CLI::App& app, Globals& globals) {
  add_pause(app, globals);
  add_resume(app, globals);
  add_drain(app, globals);
}

}  // namespace eole::cli
