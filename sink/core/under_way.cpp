#include "sink/core/under_way.hpp"

#include <algorithm>

#include "common/protocol/task_class.hpp"

namespace eole::sink {

void UnderWay::hear(const TaskId& id, std::string_view project, std::uint64_t done,
                    std::uint64_t total, const Origins& origins) {
  if (project.empty() || project.size() > protocol::kNameBytesMax || total == 0) return;
  if (id.seq == 0 || id.seq > origins.announced(id.origin) || origins.is_settled(id)) return;
  const auto part = static_cast<double>(done) / static_cast<double>(total);
  tasks_.insert_or_assign(id, Said{std::string(project), std::min(part, 1.0)});
  if (tasks_.size() > kTasksMax) tasks_.erase(tasks_.begin());
}

void UnderWay::forget(Origin origin, Seq first, Seq last) {
  tasks_.erase(tasks_.lower_bound({origin, first}), tasks_.upper_bound({origin, last}));
}

std::map<std::string, double, std::less<>> UnderWay::done(const Origins& origins) const {
  std::map<std::string, double, std::less<>> done;
  for (const auto& [id, said] : tasks_)
    if (!origins.is_settled(id)) done[said.project] += said.part;
  return done;
}

double UnderWay::done_of(std::string_view project, const Origins& origins) const {
  double done = 0;
  for (const auto& [id, said] : tasks_)
    if (said.project == project && !origins.is_settled(id)) done += said.part;
  return done;
}

}  // namespace eole::sink
