#include "relay/core/submission.hpp"

#include "clients/cpp/tasks/encode.hpp"
#include "clients/cpp/tasks/task_request.hpp"
#include "common/base/text.hpp"
#include "common/protocol/chain_key.hpp"
#include "relay/core/fill.hpp"

namespace eole::relay {

using protocol::Value;

namespace {

Expected<client::TaskRequest> task_of(const Value& chain, const Value& event) {
  auto filled = fill(chain["task"], event);
  if (!filled) return filled.error();
  auto task = client::read_task(*filled, {});
  if (!task) return task;
  std::vector<client::TaskRequest> tasks{std::move(*task)};
  for (const auto& wrong : client::resolve_parents(tasks)) return wrong.error;
  if (auto checked = client::check(tasks[0]); !checked) return checked.error();
  return std::move(tasks[0]);
}

constexpr std::string_view kUnfit = "/unfit";

client::TaskRequest unfit(const Value& chain, const Value& event, const std::string& why) {
  client::TaskRequest task;
  task.task_class.kind = "echo";
  task.task_class.project = text(chain["name"].text_or(""), kUnfit);
  task.args = Value(Value::Map{{"offset", event["offset"]}, {"id", event["id"]}, {"error", why}})
                  .to_msgpack();
  return task;
}

}  // namespace

std::optional<std::pair<protocol::Submit, Bytes>> submission_of(const Value& chain,
                                                                const Value& event,
                                                                std::uint64_t log) {
  const auto encode = [](const client::TaskRequest& task) {
    return client::encode_conditions(task, [](std::uint64_t) { return protocol::Parent{}; });
  };
  auto task = task_of(chain, event);
  auto conditions = task ? encode(*task) : task.error();
  if (!conditions) {
    if (event["project"].text_or("").ends_with(kUnfit)) return std::nullopt;
    task = unfit(chain, event, conditions.error().message);
    conditions = Bytes();
  }
  protocol::TaskGroups groups;
  groups.add(task->task_class, task->args, *conditions, task->trace);
  protocol::Submit submit;
  // With what it declares: under another one a task that was accepted cannot be said again.
  submit.key = protocol::to_text(protocol::chain_key(chain), log,
                                 static_cast<std::uint64_t>(event["offset"].int_or(0)));
  submit.count = 1;
  submit.within = chain["within"].text_or("");
  return std::pair{std::move(submit), groups.take()};
}

}  // namespace eole::relay
