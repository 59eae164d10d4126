#include "worker/runners/part_lists.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "worker/handlers/parts.hpp"

namespace eole::worker {

namespace {

class PartLists {
 public:
  explicit PartLists(TaskContext& context) : context_(context) {}

  Expected<Value> with_paths(const Value& value) {
    if (const auto* items = value.as<Value::Array>()) {
      Value::Array out;
      for (const auto& item : *items) {
        auto put = with_paths(item);
        if (!put) return put;
        out.push_back(std::move(*put));
      }
      return Value(std::move(out));
    }
    const auto* members = value.as<Value::Map>();
    if (members == nullptr) return value;
    const auto& wanted = value[kPartsReference];
    if (!wanted.is_null()) {
      if (members->size() != 1) return Error{"$parts: a reference has nothing beside it"};
      return path_of(wanted);
    }
    Value::Map out;
    for (const auto& [name, item] : *members) {
      auto put = with_paths(item);
      if (!put) return put;
      out.emplace_back(name, std::move(*put));
    }
    return Value(std::move(out));
  }

 private:
  Expected<Value> path_of(const Value& wanted) {
    const auto* named = wanted.as<std::string>();
    if (named == nullptr && wanted != Value(true))
      return Error{"$parts: must be true, or a project's name"};
    const auto project = named != nullptr ? *named : last_task_of(context_);
    if (project.empty())
      return Error{"$parts: names no project, and this is no project's last task"};
    const auto [found, is_new] = paths_.try_emplace(project);
    if (is_new) {
      // Whoever runs may run elsewhere.
      found->second =
          std::filesystem::absolute(context_.scratch_path(text("parts", paths_.size()))).string();
      if (auto written = write(project, found->second); !written)
        return Error{text("$parts ", shown(project), ": ", written.error().message)};
    }
    return Value(found->second);
  }

  Expected<void> write(const std::string& project, const std::string& path) {
    Parts parts(context_.scratch_path(text("gathered", paths_.size())));
    if (auto gathered = gather(parts, project, context_); !gathered) return gathered;
    std::ofstream lines(path, std::ios::binary | std::ios::trunc);
    for (std::size_t i = 0; i < parts.size() && !lines.fail(); ++i) {
      if (context_.is_cancelled()) return Error{"cancelled"};
      const auto part = parts.at(i);
      if (!part) return part.error();
      lines << part->to_json() << '\n';
    }
    lines.close();
    return lines.fail() ? Error{text("cannot write ", path)} : Expected<void>();
  }

  TaskContext& context_;
  std::map<std::string, std::string> paths_;  // Of the files, by project.
};

}  // namespace

Expected<void> put_part_lists(Value& args, TaskContext& context) {
  auto put = PartLists(context).with_paths(args);
  if (!put) return put.error();
  args = std::move(*put);
  return {};
}

}  // namespace eole::worker
