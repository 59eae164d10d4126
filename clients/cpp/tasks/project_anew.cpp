#include "clients/cpp/tasks/project_anew.hpp"

#include <algorithm>
#include <utility>

#include "clients/cpp/tasks/letter_words.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/text.hpp"

namespace eole::client {

Expected<void> Missing::add(const protocol::Value& page) {
  const auto* list = page["parts"].as<protocol::Value::Array>();
  if (list == nullptr) return {};
  for (const auto& told : *list) {
    const auto written = told["id"].text_or("");
    const auto id = parse_task_id(written);
    const auto part = parse_task_id(told["instead_of"].text_or(written));
    if (!id || !part) return Error{text("parts: ", written, ": is no task's id"), ErrorCode::kDamaged};
    if (before && id->origin == before->origin && id->seq > before->seq) continue;
    if (told["state"].text_or("") == "done") {
      done[*part] = *id;
    } else {
      part_of[*id] = *part;
      parts[*part] = *id;
    }
  }
  return {};
}

void Missing::finish() {
  for (const auto& [part, id] : done) parts.erase(part);
}

std::string retry_key(const std::string& project, const std::string& after) {
  return after.empty() ? "" : text("retry-of:", after, ":", crc32c(project), "/");
}

namespace {

// Who does now what a stretch of tasks was to do: of most of them it is they themselves.
void put_parents(const protocol::Parent& parent, const Missing& missing,
                 const std::map<TaskId, std::uint64_t>& index_of, std::vector<After>& after) {
  if (!parent.project.empty()) return after.push_back({{}, {}, {}, parent.project});
  auto next = parent.id;
  const TaskId end{next.origin, next.seq + parent.count};
  const auto put_until = [&](const TaskId& until) {
    if (next < until)
      after.push_back({{}, {}, next, {}, static_cast<std::uint32_t>(until.seq - next.seq)});
  };
  for (auto at = missing.part_of.lower_bound(next); at != missing.part_of.end() && at->first < end;
       ++at) {
    const auto& [id, part] = *at;
    put_until(id);
    next = {id.origin, id.seq + 1};
    if (const auto index = index_of.find(part); index != index_of.end()) {
      after.push_back({{}, index->second});
    } else {
      const auto done = missing.done.find(part);
      after.push_back({{}, {}, done == missing.done.end() ? id : done->second});
    }
  }
  put_until(end);
}

}  // namespace

Expected<TaskRequest> task_anew(std::string_view raw, const Missing& missing,
                                const std::map<TaskId, std::uint64_t>& index_of) {
  auto read = task_of_spec(raw);
  if (!read) return read;
  auto& task = *read;
  const auto parents = *protocol::decode_parents(std::exchange(task.conditions.parents, {}));
  if (parents.empty()) return read;
  for (const auto& parent : parents) put_parents(parent, missing, index_of, task.after);
  // As long as each is one task, its place stays what it was.
  task.has_references = std::all_of(parents.begin(), parents.end(),
                                    [](const auto& parent) { return parent.count == 1; });
  return read;
}

}  // namespace eole::client
