#include "tests/simulation/lookups.hpp"

#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/protocol/task_class.hpp"
#include "tests/simulation/fabric.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

using protocol::Value;

namespace {
constexpr Duration kForEver = 10'000s;  // Longer than any run.

// Several seeds run at a time.
std::string next_path() {
  static std::atomic<std::uint64_t> last{0};
  return std::filesystem::temp_directory_path() / text("eole-sim-", ::getpid(), "-", ++last);
}
}  // namespace

Lookups::Gathered::Gathered() : path(next_path()), parts(path) {}

Lookups::Gathered::~Gathered() {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

void Lookups::ask(const std::string& what, const TaskId& id, const Value& options,
                  const std::string& within, client::Asks::OnAnswer on_answer) {
  asks_.ask(protocol::Query{0, what, id.origin, id.seq, options.to_msgpack(), within},
            std::move(on_answer), kForEver);
  process_.wake();
}

void Lookups::look(const worker::StartTask& task, const std::function<void()>& then) {
  if (task.args.starts_with(kLast))
    return take_parts(task, {}, std::make_shared<Gathered>(), then);
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
  const auto& within = task.task_class.within;
  const auto told = [this, task, parent, id, then](const Expected<Value>& record) {
    if (!record && record.error().message.find("damaged") != std::string::npos) return then();
    if (!record) throw Violation{text("a parent's result: ", record.error().message)};
    if (!task.task_class.within.empty()) {  // What is not inside, or not kept, is not told.
      if (record->is_null()) return then();
      TenantRules::on_seen(task.task_class.within, (*record)["project"].text_or(""));
    }
    Value args = Value::Map{{"$result", to_text(id)}};
    auto references = worker::References::find(args, task.id, {parent});
    if (!references) throw Violation{references.error().message};
    const auto put = references->put(id, *record);
    fabric_.ledger.on_reference(id, put ? args.text_or("") : "", *record);
    then();
  };
  ask("result", id, Value::Map{}, within, told);
}

// As a collect does, page by page. Refused if the sink does not keep all of them any more.
void Lookups::take_parts(const worker::StartTask& task, const Value& from,
                         std::shared_ptr<Gathered> gathered, const std::function<void()>& then) {
  const Value options = Value::Map{{"project", kTracked}, {"from", from}};
  ask("parts", {}, options, "", [this, task, gathered, then](const Expected<Value>& page) {
    if (!page || page->is_null()) return then();
    if (const auto* list = (*page)["parts"].as<Value::Array>())
      for (const auto& part : *list) {
        gathered->told[*parse_task_id(part["id"].text_or(""))] = part;
        if (auto added = gathered->parts.add(part); !added) throw Violation{added.error().message};
      }
    if (!(*page)["next"].is_null()) return take_parts(task, (*page)["next"], gathered, then);
    fabric_.ledger.projects().on_parts(task.id, std::string(kTracked), gathered->told);
    put_together(task.id, *gathered);
    then();
  });
}

void Lookups::put_together(const TaskId& last, Gathered& gathered) {
  const auto is_whole = gathered.parts.put_in_order();
  std::vector<TaskId> order;
  for (std::size_t i = 0; i < gathered.parts.size(); ++i)
    order.push_back(*parse_task_id((*gathered.parts.at(i))["id"].text_or("")));
  ProjectRules::check_order(last, gathered.told, order, static_cast<bool>(is_whole));
}

}  // namespace eole::simulation
