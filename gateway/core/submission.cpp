#include "gateway/core/submission.hpp"

#include "clients/cpp/tasks/encode.hpp"
#include "clients/cpp/tasks/task_fault.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {

constexpr std::size_t kTaskLineBytesMax = 2 << 20;

[[noreturn]] void refuse(std::vector<http::Problem::At> bad) {
  const auto& first = bad.front();
  auto detail = text(first.pointer.empty() ? "" : first.pointer + ": ", first.detail);
  if (bad.size() > 1) detail += text(" (and ", bad.size() - 1, " more)");
  if (bad.size() > LineTasks::kBadMax) bad.resize(LineTasks::kBadMax);
  throw http::Problem(400, std::move(detail), std::move(bad));
}

std::string pointer_at(const client::TaskRequest& task, const std::string& base) {
  return task.line > 0 ? text("/", task.line) : base;
}

// `base`: where a task is that has no line.
Batch put_together(const std::vector<client::TaskRequest>& tasks, const std::string& base) {
  protocol::TaskGroups groups;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& task = tasks[i];
    Bytes conditions;
    if (!task.after.empty() || task.conditions != protocol::Conditions{}) {
      auto encoded = client::encode_conditions(task, [&](std::uint64_t index) {
        protocol::Parent parent;
        parent.back = static_cast<std::uint32_t>(i - index);
        return parent;
      });
      if (!encoded) refuse({{pointer_at(task, base), encoded.error().message}});
      conditions = std::move(*encoded);
    }
    groups.add(task.task_class, task.args, conditions, task.trace);
  }
  Batch batch;
  batch.count = groups.count();
  batch.groups = groups.take();
  return batch;
}

Batch encode(std::vector<client::TaskRequest>& tasks, const std::string& base,
             std::vector<http::Problem::At> bad) {
  if (bad.empty())
    for (const auto& wrong : client::resolve_parents(tasks))
      bad.push_back({pointer_at(tasks[wrong.place], base) + wrong.at, wrong.error.message});
  if (!bad.empty()) refuse(std::move(bad));
  return put_together(tasks, base);
}

// Where in each bad task it is wrong, of as many as are told. Reads the body, which is sound, once
// more: good ones do not pay for it.
void point_within(std::vector<http::Problem::At>& bad, std::string_view body,
                  const client::TaskRequest& preset) {
  protocol::JsonReader json(body);
  Value task;
  if (json.next() != '[') {
    json.read(task);
    bad[0].pointer += client::fault_in(task, preset);
    return;
  }
  auto next = bad.begin();
  std::uint64_t number = 0;
  json.array([&] {
    Bytes skipped;
    if (next == bad.end() || next - bad.begin() == std::ptrdiff_t{LineTasks::kBadMax}) return false;
    if (next->pointer != text("/", number++)) return json.pack(skipped);
    json.read(task);
    next++->pointer += client::fault_in(task, preset);
    return true;
  });
}

client::TaskRequest read_words(const Value& written, const std::string& pointer,
                               const client::TaskRequest& preset) {
  auto task = client::read_task(written, preset);
  if (!task) refuse({{pointer + client::fault_in(written, preset), task.error().message}});
  return std::move(*task);
}

}  // namespace

Batch read_json_tasks(std::string_view body, const client::TaskRequest& preset) {
  protocol::JsonReader json(body);
  std::vector<client::TaskRequest> tasks;
  std::vector<http::Problem::At> bad;
  std::uint64_t count = 0;
  const auto read = [&](const std::string& pointer) {
    auto task = client::read_task(json, preset);
    const auto number = count++;
    if (number >= protocol::kTasksPerMessageMax) return json.is_sound();  // Counted, to be told.
    if (task) {
      task->line = number;
      tasks.push_back(std::move(*task));
    } else {
      bad.push_back({pointer, task.error().message});
    }
    return json.is_sound();
  };
  const bool is_list = json.next() == '[';
  is_list ? json.array([&] { return read(text("/", count)); }) : read("");
  if (!json.end()) refuse({{"", json.error().message}});
  if (is_list && count == 0) refuse({{"", "an array without a task"}});
  if (count > protocol::kTasksPerMessageMax)
    refuse({{"", text(count, " tasks, limit ", protocol::kTasksPerMessageMax,
                      " (send more as application/x-ndjson)")}});
  if (!bad.empty()) point_within(bad, body, preset);
  return encode(tasks, is_list ? "/0" : "", std::move(bad));
}

Batch read_task(const Value& written, const std::string& pointer,
                const client::TaskRequest& preset) {
  std::vector<client::TaskRequest> one{read_words(written, pointer, preset)};
  return encode(one, pointer, {});
}

void check_task(const Value& written, const std::string& pointer,
                const client::TaskRequest& preset) {
  (void)read_words(written, pointer, preset);
}

std::size_t LineTasks::feed(std::string_view piece) {
  const auto all = piece.size();
  while (!piece.empty() && !is_full()) {
    const auto end = piece.find('\n');
    if (end == std::string_view::npos) {
      rest_ += piece;
      if (rest_.size() > kTaskLineBytesMax)
        refuse({{text("/", lines_), text("a line of over ", kTaskLineBytesMax, " bytes")}});
      return all;
    }
    if (rest_.empty()) {
      read(piece.substr(0, end));
    } else {
      rest_ += piece.substr(0, end);
      read(rest_);
      rest_.clear();
    }
    piece.remove_prefix(end + 1);
  }
  return all - piece.size();
}

Batch encode_tasks(const std::vector<client::TaskRequest>& tasks) { return put_together(tasks, ""); }

void LineTasks::finish() {
  if (!rest_.empty()) read(std::exchange(rest_, {}));
}

void LineTasks::read(std::string_view line) {
  const auto number = lines_++;
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  protocol::JsonReader json(line);
  auto task = client::read_task(json, preset_);
  if (!task || !json.end()) {
    if (!json.is_sound()) return bad_.push_back({text("/", number), json.error().message});
    bad_.push_back({text("/", number) + client::fault_in(*Value::from_json(line), preset_),
                    task.error().message});
    return;
  }
  task->line = number;
  bytes_ += line.size();
  tasks_.push_back(std::move(*task));
}

Batch LineTasks::take() {
  auto batch = encode(tasks_, "/0", std::exchange(bad_, {}));
  tasks_.clear();
  bytes_ = 0;
  return batch;
}

}  // namespace eole::gateway
