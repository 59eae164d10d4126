#include "clients/cpp/tasks/task_fault.hpp"

#include <algorithm>

#include "clients/cpp/tasks/task_words.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

using protocol::Value;

namespace {

// A name as a pointer has it (RFC 6901).
std::string part(std::string_view name) {
  std::string out = "/";
  for (const char letter : name)
    if (letter == '~')
      out += "~0";
    else if (letter == '/')
      out += "~1";
    else
      out += letter;
  return out;
}

bool is_taken(std::string_view word, const Value& value) {
  TaskRequest task;
  return bool(set_word(task, word, value));
}

// Within the value of a word: the member or the item that is wrong alone.
std::string within(std::string_view word, const Value& value) {
  if (const auto* members = value.as<Value::Map>())
    for (const auto& [name, member] : *members)
      if (!is_taken(word, Value::Map{{name, member}})) return part(name);
  if (const auto* items = value.as<Value::Array>())
    for (std::size_t i = 0; i < items->size(); ++i)
      if (!is_taken(word, Value::Array{(*items)[i]})) return text("/", i);
  return {};
}

// What check() looks at once all words are known.
std::string of_task(const TaskRequest& task) {
  const auto& of_class = task.task_class;
  if (of_class.kind.size() > protocol::kNameBytesMax) return "/kind";
  if (of_class.project.size() > protocol::kNameBytesMax) return "/project";
  if (task.conditions.key.size() > protocol::kOrderKeyBytesMax) return "/key";
  std::string at;
  (void)check(task, &at);
  const auto args = Value::from_msgpack(task.args);
  const auto* members = args ? args->as<Value::Map>() : nullptr;
  const bool is_there = members != nullptr &&  // By its name, and not by its place.
                        std::any_of(members->begin(), members->end(),
                                    [&](const auto& member) { return member.first == at; });
  return is_there ? "/args" + part(at) : "/args";
}

}  // namespace

std::string fault_in(const Value& written, const TaskRequest& preset) {
  const auto* members = written.as<Value::Map>();
  if (members == nullptr) return {};
  auto task = preset;
  for (const auto& [name, value] : *members)
    if (!set_word(task, name, value)) return part(name) + within(name, value);
  const auto at = task.task_class.kind.empty() ? std::string() : of_task(task);
  return at.starts_with("/args") && written["args"].is_null() ? std::string() : at;
}

}  // namespace eole::client
