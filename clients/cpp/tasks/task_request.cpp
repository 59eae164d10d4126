#include "clients/cpp/tasks/task_request.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

#include "clients/cpp/tasks/encode.hpp"
#include "clients/cpp/tasks/task_words.hpp"
#include "common/base/counted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/kinds/offered.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

using protocol::Value;

namespace {

constexpr std::string_view kResult = "$result";
constexpr std::string_view kParts = "$parts";
constexpr std::string_view kProject = "project:";

bool has(std::string_view args, std::string_view word) { return args.find(word) != args.npos; }

bool has_dollar(const Value& value) { return has(value.to_json(), "$"); }

// Said in words of the runner's language (docs/python.md).
bool is_typed(const Value& value) { return value["$type"].as<std::string>() != nullptr; }

// The arguments of a runner's kind by their names: what is said by place is a list, or {"$args": a
// list, …} with others by name. Nothing: the runner's own words stand for them.
Expected<std::optional<Value>> by_name(const kinds::Kind& kind, const Value& args) {
  constexpr std::string_view kByPlace = "$args";
  Value::Map named;
  const auto& placed = args.as<Value::Array>() != nullptr ? args : args[kByPlace];
  if (const auto* items = placed.as<Value::Array>()) {
    if (items->size() > kind.arguments.size())
      return Error{text(kind.name, ": ", counted(items->size(), "argument"), " by place, it takes ",
                        kind.arguments.size())};
    for (std::size_t i = 0; i < items->size(); ++i)
      named.emplace_back(kind.arguments[i].name, (*items)[i]);
  }
  if (const auto* members = args.as<Value::Map>()) {
    for (const auto& [name, value] : *members) {
      if (name == kByPlace) continue;
      if (name.starts_with('$')) return std::optional<Value>();
      named.emplace_back(name, value);
    }
  } else if (args.as<Value::Array>() == nullptr) {
    return std::optional(args);
  }
  return std::optional<Value>(std::move(named));
}

// Numbers what the arguments take from results, by the place in `after` of who has it.
Value number_references(const Value& value, std::vector<After>& after, bool& found) {
  if (const auto* items = value.as<Value::Array>()) {
    Value::Array out;
    for (const auto& item : *items) out.push_back(number_references(item, after, found));
    return out;
  }
  const auto* members = value.as<Value::Map>();
  if (members == nullptr) return value;
  const auto* name = value[kResult].as<std::string>();
  if (name == nullptr) {
    Value::Map out;
    for (const auto& [key, item] : *members)
      out.emplace_back(key, number_references(item, after, found));
    return out;
  }
  found = true;
  std::size_t place = 0;
  while (place < after.size() && after[place].written != *name) ++place;
  if (place == after.size()) after.push_back({*name});
  auto numbered = value;
  numbered.set(std::string(kResult), static_cast<std::int64_t>(place));
  return numbered;
}

/// The names of tasks, and which task waits for which.
class Names {
 public:
  Names() = default;
  explicit Names(const std::vector<TaskRequest>& tasks) : tasks_(&tasks) {
    for (std::size_t i = 0; i < tasks.size(); ++i) add(tasks[i].name, i);
  }
  void add(const std::string& name, std::size_t place) {
    if (!name.empty()) places_.try_emplace(name, place);
  }
  std::optional<std::size_t> find(const std::string& name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }
  /// Whether task `from` waits, over whatever others, for `to`; of those that were given at first.
  bool waits(std::size_t from, std::size_t to) {
    if (++looks_ > kBadLinesShown) return false;  // A walk over all tasks, for a nicer word.
    std::vector<std::size_t> open{from};
    const auto& tasks = *tasks_;
    std::vector<bool> seen(tasks.size());
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (at == to) return true;
      if (seen[at]) continue;
      seen[at] = true;
      for (const auto& after : tasks[at].after)
        if (const auto place = find(after.written)) open.push_back(*place);
    }
    return false;
  }

 private:
  const std::vector<TaskRequest>* tasks_ = nullptr;
  std::size_t looks_ = 0;
  std::unordered_map<std::string, std::size_t> places_;
};

Expected<void> resolve(After& after, std::size_t self, Names& names) {
  if (const auto place = names.find(after.written)) {
    if (*place == self)
      return Error{text("after ", after.written, ": a task cannot wait for itself")};
    if (*place > self)
      return Error{names.waits(*place, self)
                       ? text("after ", after.written, ": a cycle, that task waits for this one")
                       : text("after ", after.written, ": comes later; put that task before this")};
    after.index = *place;
    return {};
  }
  if (after.written.starts_with(kProject)) {
    after.project = after.written.substr(kProject.size());
    if (after.project.empty() || after.project.size() > protocol::kNameBytesMax)
      return Error{text("after ", after.written, ": a project has 1 to ", protocol::kNameBytesMax,
                        " bytes")};
    return {};
  }
  const auto id = parse_task_id(after.written);
  if (!id) return Error{text("after ", after.written, ": no task of that name, and no id")};
  after.id = *id;
  return {};
}

// `at`: where it is wrong.
Expected<void> resolve_task(TaskRequest& task, std::size_t self, Names& names, std::string& at) {
  at = "/name";
  if (!task.name.empty() && *names.find(task.name) != self)
    return Error{text("name ", task.name, ": another task has it")};
  const auto said = task.after.size();  // The others are of its arguments.
  at = "/args";
  if (has(task.args, kResult)) {
    const auto args = Value::from_msgpack(task.args);
    if (!args) return args.error();
    const auto numbered = number_references(*args, task.after, task.has_references);
    if (task.has_references) task.args = numbered.to_msgpack();
  }
  if (task.after.size() > protocol::kParentsMax && task.has_references)
    return Error{text("after: ", task.after.size(), " tasks, limit ", protocol::kParentsMax,
                      " where results are taken from them")};
  for (std::size_t i = 0; i < task.after.size(); ++i) {
    at = i >= said ? "/args" : said == 1 ? "/after" : text("/after/", i);
    if (auto found = resolve(task.after[i], self, names); !found) return found;
  }
  at = "/after";
  if (task.after.size() <= protocol::kParentsMax) return {};
  // As if all were accepted, one behind the other: too many stretches are refused before any task
  // is.
  const auto encoded =
      encode_conditions(task, [](std::uint64_t index) { return protocol::Parent{{0, index + 1}}; });
  if (!encoded) return encoded.error();
  return {};
}

}  // namespace

Expected<void> check(const TaskRequest& task, std::string* wrong) {
  const auto& task_class = task.task_class;
  if (task_class.kind.empty()) return Error{"kind is missing"};
  for (const auto& [what, name] :
       {std::pair{"kind", &task_class.kind}, {"project", &task_class.project}})
    if (name->size() > protocol::kNameBytesMax)
      return Error{text(what, " of ", name->size(), " bytes, limit ", protocol::kNameBytesMax)};
  if (task.conditions.key.size() > protocol::kOrderKeyBytesMax)
    return Error{
        text("key of ", task.conditions.key.size(), " bytes, limit ", protocol::kOrderKeyBytesMax)};
  if (task.args.size() > protocol::kTaskBytesMax)
    return Error{text(task_class.kind, ": arguments of ", task.args.size(), " bytes, limit ",
                      protocol::kTaskBytesMax, " (put large data into an artifact)")};
  const auto* kind = kind_of(task);
  // What stands for what others came to is checked by the worker.
  if (kind == nullptr || kind->takes_anything || has(task.args, kResult) || has(task.args, kParts))
    return {};
  const auto args = Value::from_msgpack(task.args);
  if (!args) return args.error();
  if (kinds::find(task_class.kind) != nullptr) {
    const auto fits = kinds::conform(*kind, *args, wrong, task.is_filled ? has_dollar : nullptr);
    return fits ? Expected<void>() : fits.error();
  }
  const auto named = by_name(*kind, *args);
  if (!named) return named.error();
  if (!*named) return {};
  const auto fits = kinds::conform(*kind, **named, wrong, task.is_filled ? has_dollar : is_typed);
  return fits ? Expected<void>() : fits.error();
}

const kinds::Kind* kind_of(const TaskRequest& task) {
  const auto& name = task.task_class.kind;
  return task.offered == nullptr ? kinds::find(name) : task.offered->find(name);
}

std::vector<Unresolved> resolve_parents(std::vector<TaskRequest>& tasks) {
  std::vector<Unresolved> problems;
  Names names(tasks);
  std::string at;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (auto resolved = resolve_task(tasks[i], i, names, at); !resolved)
      problems.push_back({i, resolved.error(), at});
  return problems;
}

Expected<TaskRequest> read_task(const Value& written, const TaskRequest& preset) {
  const auto* members = written.as<Value::Map>();
  if (members == nullptr) return Error{"not an object"};
  auto task = preset;
  for (const auto& [name, value] : *members)
    if (auto set = set_word(task, name, value); !set) return set.error();
  if (auto fits = check(task); !fits) return fits.error();
  return task;
}

Expected<TaskRequest> read_task(protocol::JsonReader& json, const TaskRequest& preset) {
  Value value;
  if (json.next() != '{') return json.read(value) ? Error{"not an object"} : json.error();
  auto task = preset;
  std::optional<Error> wrong;
  const bool is_read = json.object([&](std::string_view name) {
    if (name == "args") {  // Most of the text: no value is made of it.
      task.args.clear();
      return json.pack(task.args);
    }
    if (!json.read(value)) return false;
    if (wrong) return true;
    if (auto set = set_word(task, name, value); !set) wrong = set.error();
    return true;
  });
  if (!is_read) return json.error();
  if (wrong) return *wrong;
  if (auto fits = check(task); !fits) return fits.error();
  return task;
}

Expected<std::vector<TaskRequest>> read_tasks(std::istream& input, const TaskRequest& preset) {
  std::vector<TaskRequest> tasks;
  std::map<std::uint64_t, std::string> problems;  // By line.
  std::size_t bad = 0;
  const auto add_problem = [&](std::uint64_t number, const Error& error) {
    if (++bad <= kBadLinesShown) problems.emplace(number, error.message);
  };
  std::string line;
  for (std::uint64_t number = 1; std::getline(input, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    protocol::JsonReader json(line);
    auto task = read_task(json, preset);
    if (!task || !json.end()) {
      add_problem(number, json.is_sound() ? task.error() : json.error());
      continue;
    }
    task->line = number;
    tasks.push_back(std::move(*task));
  }
  if (input.bad()) return Error{"cannot be read"};
  if (bad == 0)
    for (const auto& wrong : resolve_parents(tasks))
      add_problem(tasks[wrong.place].line, wrong.error);
  if (bad == 0) return tasks;
  std::string said;
  for (const auto& [number, message] : problems)
    said += text(said.empty() ? "" : "\n", "line ", number, ": ", shown(message));
  if (bad > kBadLinesShown) said += text("\nand ", bad - kBadLinesShown, " more bad lines");
  return Error{std::move(said)};
}

struct TaskLines::Known {
  Names names;
};

TaskLines::TaskLines(const TaskRequest& preset)
    : preset_(preset), known_(std::make_unique<Known>()) {}
TaskLines::TaskLines(TaskLines&&) noexcept = default;
TaskLines::~TaskLines() = default;

// Each task is looked at with those before it alone. If that is not enough to say that all is well,
// all are read at once, for what is wrong with any of them.
Expected<TaskLines> TaskLines::read(std::istream& input, const TaskRequest& preset) {
  TaskLines lines(preset);
  std::ostringstream whole;
  if (input.peek() != std::istream::traits_type::eof()) whole << input.rdbuf();
  if (input.bad()) return Error{"cannot be read"};
  lines.text_ = std::move(whole).str();
  std::vector<std::string> ids;
  const auto read = lines.each([&](TaskRequest& task) {
    for (const auto& after : task.after)
      if (!after.index && after.project.empty()) ids.push_back(after.written);
    ++lines.size_;
    return Expected<void>();
  });
  const auto is_name = [&](const std::string& id) {
    return lines.known_->names.find(id).has_value();
  };
  if (read && std::none_of(ids.begin(), ids.end(), is_name)) return lines;
  std::istringstream again(lines.text_);
  const auto tasks = read_tasks(again, preset);
  return tasks ? read.error() : tasks.error();
}

Expected<void> TaskLines::each(const OnTask& on_task) const {
  std::size_t place = 0;
  std::uint64_t number = 0;
  std::string at;
  for (std::string_view left = text_; !left.empty();) {
    const auto line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    protocol::JsonReader json(line);
    auto task = read_task(json, preset_);
    if (task && !json.end()) task = json.error();
    auto read = task ? Expected<void>() : Expected<void>(task.error());
    if (read) {
      known_->names.add(task->name, place);
      read = resolve_task(*task, place, known_->names, at);
    }
    if (!read) return Error{text("line ", number, ": ", shown(read.error().message))};
    task->line = number;
    if (auto taken = on_task(*task); !taken) return taken;
    ++place;
  }
  return {};
}

}  // namespace eole::client
