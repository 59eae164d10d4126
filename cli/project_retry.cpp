#include "cli/project_retry.hpp"

#include <algorithm>
#include <utility>

#include "cli/dead_edit.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

Missing missing_of(Cluster& cluster, const std::string& project) {
  Missing missing;
  Value options = Value::Map{{"project", project}, {"missing", true}};
  do {
    const auto page = need(cluster.sink.query("parts", {}, options), kNotDone);
    if (const auto* list = page["parts"].as<Value::Array>())
      for (const auto& told : *list) {
        const auto written = told["id"].text_or("");
        const auto id = need_id(written);
        const auto part = need_id(told["instead_of"].text_or(written));
        if (told["state"].text_or("") == "done") {
          missing.done[part] = id;
        } else {
          missing.part_of[id] = part;
          missing.parts[part] = id;
        }
      }
    options.set("from", page["next"]);
  } while (!options["from"].is_null());
  for (const auto& [part, id] : missing.done) missing.parts.erase(part);
  return missing;
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

std::vector<TaskRequest> tasks_anew(Cluster& cluster, const Missing& missing) {
  std::map<TaskId, std::uint64_t> index_of;
  std::vector<TaskRequest> tasks;
  for (const auto& [part, id] : missing.parts) {
    const auto raw = need(cluster.sink.query("spec", id), kNotDone);
    const auto* blob = raw.as<protocol::Blob>();
    if (blob == nullptr)
      throw Failure{kNotDone, text(to_text(id),
                                   ": the log has its end, and not the task itself: "
                                   "submit it anew")};
    auto task = task_anew(blob->bytes, missing, index_of);
    if (!task) throw Failure{kNotDone, text(to_text(id), ": ", shown(task.error().message))};
    index_of[part] = tasks.size();
    tasks.push_back(std::move(*task));
  }
  return tasks;
}

}  // namespace eole::cli
