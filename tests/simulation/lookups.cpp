#include "tests/simulation/lookups.hpp"

#include "common/base/text.hpp"
#include "common/protocol/task_class.hpp"
#include "tests/simulation/fabric.hpp"

namespace eole::simulation {

using protocol::Value;

namespace {
constexpr Duration kForEver = 10'000s;  // Longer than any run.
}

void Lookups::ask(const std::string& what, const TaskId& id, const Value& options,
                  client::Asks::OnAnswer on_answer) {
  asks_.ask(protocol::Query{0, what, id.origin, id.seq, options.to_msgpack()}, std::move(on_answer),
            kForEver);
  process_.wake();
}

void Lookups::look(const worker::StartTask& task, const std::function<void()>& then) {
  if (task.conditions.empty() || fabric_.world.chance(0.5)) return then();
  const auto conditions = protocol::decode_conditions(task.conditions);
  const auto parents = protocol::decode_parents(conditions->parents);
  for (const auto& parent : *parents)
    if (parent.project.empty() && parent.count == 1) return take_result(task, parent, then);
  then();
}

// As {"$result": its parent} among its arguments.
void Lookups::take_result(const worker::StartTask& task, const protocol::Parent& parent,
                          const std::function<void()>& then) {
  const auto id = parent.back != 0 ? TaskId{task.id.origin, task.id.seq - parent.back} : parent.id;
  ask("result", id, Value::Map{}, [this, task, parent, id, then](const Expected<Value>& record) {
    if (!record) throw Violation{text("a parent's result: ", record.error().message)};
    Value args = Value::Map{{"$result", to_text(id)}};
    auto references = worker::References::find(args, task.id, {parent});
    if (!references) throw Violation{references.error().message};
    const auto put = references->put(id, *record);
    fabric_.ledger.on_reference(id, put ? args.text_or("") : "", *record);
    then();
  });
}

}  // namespace eole::simulation
