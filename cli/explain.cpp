
#include "cli/lookup.hpp"
#include "clients/cpp/tasks/story.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

// Why a task waits, where it ran, why again.
namespace eole::cli {

namespace {

Value explained(Cluster& cluster, const TaskId& id) {
  const auto view = look_up(cluster, id);
  Value out = Value::Map{};
  for (const auto* name : {"id", "kind", "project", "state", "attempt", "worker", "submitted"})
    if (!view[name].is_null()) out.set(name, view[name]);
  out.set("why", is_settled(view) ? Value(Value::Array{client::why_ended(view)}) : view["why"]);
  out.set("attempts", client::history_of(view, attempts_of(cluster, id)));
  return out;
}

void print(const Value& task) {
  auto line = text(shown(task["id"].text_or("")), "  ", coloured_state(task["state"].text_or("")));
  for (const auto* name : {"kind", "project"})
    if (const auto written = task[name].text_or(""); !written.empty())
      line += text("  ", *name == 'p' ? "project " : "", shown(written));
  std::puts(line.c_str());
  for (const auto* list : {"why", "attempts"})
    if (const auto* each = task[list].as<Value::Array>())
      for (const auto& one : *each) std::printf("  %s\n", shown(one["text"].text_or("")).c_str());
  flush_output();
}

// One that is not known is no reason to be silent about the others.
void explain(Cluster& cluster, const std::string& id, Globals& globals) {
  try {
    const auto task = explained(cluster, need_id(id));
    globals.json ? print_json(task) : print(task);
  } catch (const Failure& failure) {
    if (failure.exit_code != kNotDone) throw;
    std::fprintf(stderr, "eole: %s\n", shown(failure.message).c_str());
    globals.exit_code = kNotDone;
  }
}

}  // namespace

void add_explain(Command& app, Globals& globals) {
  auto* command = app.add_subcommand(
      "explain", "Say why a task waits, where it ran and why there, and why again");
  auto ids = std::make_shared<std::vector<std::string>>();
  command->add_option("id", *ids, "the tasks, also long settled ones")->required();
  command->add_flag("--json", globals.json,
                    "one JSON object a line: state, why [{code, text}], attempts [{…, text}]");
  command->footer(
      "Examples:\n"
      "  eole explain k3f9qz-17\n"
      "  eole explain k3f9qz-17 --json | jq -r '.why[].code'\n"
      "The codes are listed in docs/plans.md.\n"
      "Exit codes: 0 explained, 1 no such task, 2 bad input, 3 no answer.");
  command->callback([ids, &globals] {
    for (const auto& id : *ids) need_id(id);
    Cluster cluster(globals);
    for (const auto& id : *ids) explain(cluster, id, globals);
  });
}

}  // namespace eole::cli
