#include "cli/project_retry.hpp"

#include <utility>

#include "common/base/text.hpp"

namespace eole::cli {

Missing missing_of(Cluster& cluster, const std::string& project, const std::string& after) {
  Missing missing;
  if (!after.empty()) missing.before = need_id(after);
  Value options = Value::Map{{"project", project}, {"missing", true}};
  do {
    const auto page = need(cluster.sink.query("parts", {}, options), kNotDone);
    need(missing.add(page), kNotDone);
    options.set("from", page["next"]);
  } while (!options["from"].is_null());
  missing.finish();
  return missing;
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
