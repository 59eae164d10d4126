#include <cstdio>

#include "cli/group.hpp"
#include "cli/lookup.hpp"
#include "cli/submission.hpp"
#include "cli/word_flags.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/topics.hpp"

// Chains: notifications that become tasks. The relay acts on them.
namespace eole::cli {

namespace {

struct ChainOptions {
  std::string name;
  std::string from;
  std::string start = "latest";
  std::string kind;
  std::vector<std::string> args;
  std::string args_json;
  SaidWords said;
};

Value control(Cluster& cluster, const ChainOptions& options, Value wish) {
  wish.set("name", options.name);
  return need(cluster.ventilator.ask(protocol::Control{0, "chain", wish.to_msgpack()}));
}

// A value that is JSON is that; any other is text.
Value args_of(const ChainOptions& options) {
  Value args = options.args_json.empty() ? Value(Value::Map{})
                                         : need(Value::from_json(options.args_json), kBadUse);
  for (const auto& said : options.args) {
    const auto at = said.find('=');
    if (at == 0 || at == said.npos)
      throw Failure{kBadUse, text("--arg ", shown(said), ": is NAME=VALUE")};
    const auto value = said.substr(at + 1);
    const auto read = Value::from_json(value);
    args.set(said.substr(0, at), read ? *read : Value(value));
  }
  return args;
}

void print_one(const Value& view) {
  const auto& task = view["task"];
  std::printf("%-20s  %-28s  %s %s\n", shown(view["name"].text_or("")).c_str(),
              shown(view["from"].text_or("")).c_str(), shown(task["kind"].text_or("")).c_str(),
              shown(task["args"].to_json()).c_str());
}

void add(const ChainOptions& options, const Globals& globals) {
  if (const auto from = TopicPattern::parse(options.from); !from)
    throw Failure{kBadUse, text("--from ", shown(options.from), ": ", from.error().message)};
  const auto task_words = words_said(options.said);
  auto checked = task_said(options.said);
  Value task = Value::Map{{"kind", options.kind}, {"args", args_of(options)}};
  for (const auto& [word, value] : task_words) task.set(word, value);
  checked.task_class.kind = options.kind;
  checked.args = task["args"].to_msgpack();
  checked.is_filled = true;
  need(check(checked), kBadUse);
  Cluster cluster(globals);
  look_for_workers(cluster, checked);
  auto start = place_in_log(cluster, options.start, "--start");
  if (start == Value("latest")) start = head_of(cluster);  // Now, not once the relay begins.
  const auto view = control(
      cluster, options,
      Value::Map{{"state", "added"}, {"from", options.from}, {"start", start}, {"task", task}});
  globals.json ? print_json(view) : print_one(view);
}

void list(const Globals& globals) {
  Cluster cluster(globals);
  const auto answer = need(cluster.ventilator.query("chains"));
  const auto* chains = answer.as<Value::Array>();
  if (chains == nullptr) throw Failure{kNoCluster, "chains: not a list"};
  for (const auto& view : *chains) globals.json ? print_json(view) : print_one(view);
  if (chains->empty() && !globals.json) std::puts("no chains");
}

void remove(const ChainOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = control(cluster, options, Value::Map{{"state", "removed"}});
  if (view["was_there"] != Value(true))
    throw Failure{kBadUse, text("chain ", shown(options.name), ": there is none")};
  globals.json ? print_json(view)
               : void(std::printf("%s is removed\n", shown(options.name).c_str()));
}

}  // namespace

void add_chain(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("chain", "Notifications that become tasks");
  command->require_subcommand(1, 1);
  auto options = std::make_shared<ChainOptions>();
  const auto sub = [&](const char* name, const char* about, auto act) {
    auto* one = command->add_subcommand(name, about);
    one->add_flag("--json", globals.json, "one JSON object a line");
    one->callback([=, &globals] { act(*options, globals); });
    return one;
  };
  auto* adding = sub("add", "Each notification that fits becomes a task, once", add);
  adding->add_option("name", options->name, "of the chain, and of the group that reads for it")
      ->required();
  adding->add_option("--from", options->from, "project/kind/state, with * for a word, # for any")
      ->required();
  adding->add_option(
      "--start", options->start,
      "earliest, latest, an offset or a time, if its group is not there yet [latest]");
  adding->add_option("--submit", options->kind, "the kind of the tasks")->required();
  adding
      ->add_option("--arg", options->args,
                   "NAME=VALUE, repeatable; in a value $artifact or ${value.url} is what the "
                   "notification has there, $$ a dollar")
      ->repeatable();
  adding->add_option("--args", options->args_json, "all arguments, as JSON");
  for (const auto& word : task_words()) add_flag(*adding, word, options->said);
  adding->footer(
      "  eole chain add thumbs --from 'photos/download/done' \\\n"
      "      --submit image --arg 'artifact=$artifact' --project thumbs\n"
      "What a notification does not have fails that one task alone, in the project NAME/unfit.\n"
      "Exit codes: 0 it is kept, 2 bad input, 3 no answer.");
  sub("list", "All of them", [](const auto&, const auto& all) { list(all); });
  sub("remove", "Take it back; its group and its tasks stay", remove)
      ->add_option("name", options->name, "of the chain")
      ->required();
}

}  // namespace eole::cli
