#include <cstdio>

#include "cli/common.hpp"
#include "cli/limits.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

// Alerts: who wants to hear that a group is behind. The relay raises them.
namespace eole::cli {

namespace {

constexpr std::int64_t kSecondsMax = 31'536'000;  // A year.

struct AlertOptions {
  std::string name;
  std::string group;
  std::int64_t seconds = 0;
  std::vector<std::string> command;
};

Value control(Cluster& cluster, const std::string& name, Value wish) {
  wish.set("name", name);
  return need(cluster.ventilator.ask(protocol::Control{0, "alert", wish.to_msgpack()}));
}

void print_one(const Value& view) {
  std::string command;
  if (const auto* words = view["command"].as<Value::Array>())
    for (const auto& word : *words) command += " " + shown(word.text_or(""));
  std::printf("%-20s  %-20s  behind by %lld s %s\n", shown(view["name"].text_or("")).c_str(),
              shown(view["group"].text_or("")).c_str(),
              static_cast<long long>(view["seconds"].int_or(0)), command.c_str());
}

void add(const AlertOptions& options, const Globals& globals) {
  Value wish =
      Value::Map{{"state", "added"}, {"group", options.group}, {"seconds", options.seconds}};
  if (!options.command.empty())
    wish.set("command", Value::Array(options.command.begin(), options.command.end()));
  Cluster cluster(globals);
  const auto view =
      control(cluster, options.name.empty() ? options.group : options.name, std::move(wish));
  globals.json ? print_json(view) : print_one(view);
}

void list(const Globals& globals) {
  Cluster cluster(globals);
  const auto answer = need(cluster.ventilator.query("alerts"));
  const auto* alerts = answer.as<Value::Array>();
  if (alerts == nullptr) throw Failure{kNoCluster, "alerts: not a list"};
  for (const auto& view : *alerts) globals.json ? print_json(view) : print_one(view);
  if (alerts->empty() && !globals.json)
    std::puts("none was added: every group that is behind by two minutes raises one");
}

void remove(const AlertOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = control(cluster, options.name, Value::Map{{"state", "removed"}});
  if (view["was_there"] != Value(true))
    throw Failure{kBadUse, text("alert ", shown(options.name), ": there is none")};
  globals.json ? print_json(view)
               : void(std::printf("%s is removed\n", shown(options.name).c_str()));
}

}  // namespace

void add_alert(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("alert", "Hear when a group is behind, and when no more");
  command->require_subcommand(1, 1);
  auto options = std::make_shared<AlertOptions>();
  const auto sub = [&](const char* name, const char* about, auto act) {
    auto* one = command->add_subcommand(name, about);
    one->add_flag("--json", globals.json, "one JSON object a line");
    one->callback([=, &globals] { act(*options, globals); });
    return one;
  };
  auto* adding = sub("add", "Raise one when the oldest record that is not read is so old", add);
  adding->add_option("--lag", options->group, "the group, or * for every one")->required();
  adding->add_option("seconds", options->seconds, "how old its oldest unread record may be")
      ->required()
      ->check(whole_number(1, kSecondsMax));
  adding->add_option("--name", options->name, "of the alert [its group's]");
  adding->add_option("command", options->command,
                     "behind --: a task of kind exec for each alert, which has it as JSON on its "
                     "standard input");
  adding->footer(
      "  eole alert add --lag billing 120 -- notify-send 'billing is behind'\n"
      "An alert that is raised, and one that is over, is a task of kind echo in the project\n"
      "alerts, so it is in the log and told like any result.\n"
      "Exit codes: 0 it is kept, 2 bad input, 3 no answer.");
  sub("list", "All of them", [](const auto&, const auto& all) { list(all); });
  sub("remove", "Take it back", remove)
      ->add_option("name", options->name, "of the alert")
      ->required();
}

}  // namespace eole::cli
