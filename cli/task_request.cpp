#include "cli/task_request.hpp"

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/kinds/kinds.hpp"
#include "common/protocol/records.hpp"

namespace eole::cli {

using protocol::Value;

namespace {

Expected<TaskRequest> parse_line(const std::string& line, const TaskRequest& preset) {
  const auto json = Value::from_json(line);
  if (!json) return json.error();
  const auto* members = json->as<Value::Map>();
  if (members == nullptr) return Error{"not an object"};
  auto task = preset;
  for (const auto& [name, value] : *members) {
    const auto* written = value.as<std::string>();
    const auto* number = value.as<std::int64_t>();
    if (name == "kind" || name == "project") {
      if (written == nullptr) return Error{text(name, ": must be a text")};
      (name == "kind" ? task.kind : task.project) = *written;
    } else if (name == "args") {
      task.args = value.to_msgpack();
    } else if (name == "retry") {
      if (value.as<bool>() == nullptr) return Error{"retry: must be true or false"};
      task.retry = *value.as<bool>();
    } else if (name == "attempts") {
      if (number == nullptr || *number < 1 || *number > 255) return Error{"attempts: 1 to 255"};
      task.attempts_max = static_cast<std::uint8_t>(*number);
    } else {
      return Error{text(name, ": not known; kind, args, project, retry and attempts are")};
    }
  }
  if (auto fits = check(task); !fits) return fits.error();
  return task;
}

}  // namespace

protocol::TaskClass class_of(const TaskRequest& task) {
  return {task.kind, task.project, task.attempts_max,
          static_cast<std::uint8_t>(task.retry ? 1 : 0)};
}

Expected<void> check(const TaskRequest& task) {
  if (task.kind.empty()) return Error{"kind is missing"};
  for (const auto& [what, name] : {std::pair{"kind", &task.kind}, {"project", &task.project}})
    if (name->size() > protocol::kNameBytesMax)
      return Error{text(what, " of ", name->size(), " bytes, limit ", protocol::kNameBytesMax)};
  if (task.args.size() > protocol::kTaskBytesMax)
    return Error{text(task.kind, ": arguments of ", task.args.size(), " bytes, limit ",
                      protocol::kTaskBytesMax, " (put large data into an artifact)")};
  const auto* kind = kinds::find(task.kind);
  if (kind == nullptr) return {};
  const auto args = Value::from_msgpack(task.args);
  if (!args) return args.error();
  const auto fits = kinds::conform(*kind, *args);
  return fits ? Expected<void>() : fits.error();
}

Expected<std::vector<TaskRequest>> read_tasks(std::istream& input, const TaskRequest& preset) {
  std::vector<TaskRequest> tasks;
  std::string problems;
  std::size_t bad = 0;
  std::string line;
  for (std::uint64_t number = 1; std::getline(input, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto task = parse_line(line, preset);
    if (task) task->line = number;
    if (task && bad == 0) tasks.push_back(std::move(*task));
    if (task || ++bad > kBadLinesShown) continue;
    problems +=
        text(problems.empty() ? "" : "\n", "line ", number, ": ", shown(task.error().message));
  }
  if (input.bad()) return Error{"cannot be read"};
  if (bad > kBadLinesShown) problems += text("\nand ", bad - kBadLinesShown, " more bad lines");
  if (bad > 0) return Error{std::move(problems)};
  return tasks;
}

}  // namespace eole::cli
