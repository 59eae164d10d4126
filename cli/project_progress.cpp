#include "cli/project_progress.hpp"

#include <utility>

#include "common/process/system.hpp"

namespace eole::cli {

ProjectProgress::ProjectProgress(Cluster& cluster, const std::string& project)
    : cluster_(cluster),
      project_(project),
      reader_(need(client::LogReader::open(cluster.context, cluster.file, std::nullopt))) {
  reader_->watch_progress();
}

void ProjectProgress::hear(Duration patience) {
  need(reader_->next(patience), kNoCluster);
  while (const auto progress = reader_->next_progress()) {
    const TaskId id{progress->origin, progress->seq};
    const bool has_place = heard_.size() < kHeardMax || heard_.contains(id);
    if (progress->stream.empty() && has_place)
      heard_[id].hear(progress->done, progress->total, progress->text, process::now());
  }
}

std::string ProjectProgress::text() {
  const Value options = Value::Map{{"project", project_}, {"state", "running"}};
  const auto page = need(cluster_.ventilator.query("tasks", {}, options), kNoCluster);
  TasksProgress together;
  std::map<TaskId, TaskProgress> running;
  if (const auto* list = page["tasks"].as<Value::Array>())
    for (const auto& task : *list) {
      const auto found = heard_.find(need_id(task["id"].text_or("")));
      if (found == heard_.end()) continue;
      together.add(found->second);
      running.insert(heard_.extract(found));
    }
  heard_ = std::move(running);  // Others have ended, or are of other projects.
  return together.text();
}

}  // namespace eole::cli
