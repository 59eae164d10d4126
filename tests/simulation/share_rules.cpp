#include "tests/simulation/share_rules.hpp"

#include <algorithm>
#include <vector>

#include "common/base/text.hpp"
#include "tests/simulation/task_bodies.hpp"

namespace eole::simulation {

ShareRules::Rivals& ShareRules::of(Origin origin, const std::string& project) {
  return (project == kFarProject ? far_ : rivals_)[origin];
}

void ShareRules::on_paused(Origin origin, const std::string& project) {
  of(origin, project).by_name[project].is_paused = true;
}

void ShareRules::on_resumed(Origin origin, const std::string& project, TimePoint now) {
  auto& rivals = of(origin, project);
  rivals.by_name[project].is_paused = false;
  begin_window(rivals, now);
}

void ShareRules::begin_window(Rivals& rivals, TimePoint now) const {
  rivals.since = now + kSettle;
  for (auto& [name, rival] : rivals.by_name) rival.served = {};
}

void ShareRules::on_accepted(const TaskId& id, const std::string& project, Duration longest,
                             TimePoint now) {
  auto& rivals = of(id.origin, project);
  auto& rival = rivals.by_name[project];
  rival.longest = longest;
  if (rival.sent.contains(id.seq)) return;
  if (rival.waiting.empty()) begin_window(rivals, now);
  rival.waiting.insert(id.seq);
}

void ShareRules::on_send(const TaskId& id, const std::string& project) {
  auto& rival = of(id.origin, project).by_name[project];
  rival.sent.insert(id.seq);
  rival.waiting.erase(id.seq);
  rival.held.insert(id.seq);
  rival.held_most = std::max(rival.held_most, rival.held.size());
}

void ShareRules::on_begin(const TaskId& id, const std::string& project, const std::string& worker,
                          TimePoint now) {
  of(id.origin, project).by_name[project].running[{id.seq, worker}] = now;
}

void ShareRules::on_end(const TaskId& id, const std::string& project, const std::string& worker,
                        TimePoint now) {
  auto& rivals = of(id.origin, project);
  auto& rival = rivals.by_name[project];
  const auto run = rival.running.extract({id.seq, worker});
  if (!run) return;
  rival.served += std::max(Duration(0), now - std::max(run.mapped(), rivals.since));
  judge(rivals, now);
}

void ShareRules::on_settled(const TaskId& id, const std::string& project) {
  of(id.origin, project).by_name[project].held.erase(id.seq);
}

void ShareRules::on_worker_ends(const std::string& worker) {
  for (auto* all : {&rivals_, &far_})
    for (auto& [origin, rivals] : *all)
      for (auto& [name, rival] : rivals.by_name)
        std::erase_if(rival.running, [&](const auto& run) { return run.first.second == worker; });
}

void ShareRules::judge(const Rivals& rivals, TimePoint now) const {
  const auto& by_name = rivals.by_name;
  const auto has_none = [](const auto& rival) {
    return rival.second.waiting.empty() || rival.second.is_paused;
  };
  if (!is_prompt_ || by_name.size() < 2 || now < rivals.since + kWindow ||
      std::any_of(by_name.begin(), by_name.end(), has_none))
    return;
  std::vector<std::pair<Duration, Duration>> all;  // How long each was served, and what it held.
  std::string told;
  for (const auto& [name, rival] : by_name) {
    auto served = rival.served;
    for (const auto& [run, begun] : rival.running) served += now - std::max(begun, rivals.since);
    // A turn goes on until the project has had more than the next one: by a task.
    all.emplace_back(served, rival.longest * static_cast<std::int64_t>(rival.held_most + 1));
    told += text(told.empty() ? "" : ", ", served / 1ms, " ms of ", name);
  }
  const auto [least, most] = std::minmax_element(all.begin(), all.end());
  const auto allowed = 2 * (least->second + most->second) +
                       std::chrono::duration_cast<Duration>(least->first * kApart);
  if (most->first - least->first > allowed)
    throw Violation{text("in ", (now - rivals.since) / 1ms, " ms slots ran for ", told,
                         ", of which each always had work waiting; allowed are ", allowed / 1ms,
                         " ms between two")};
}

std::size_t ShareRules::waiting(Origin origin, const std::string& project) const {
  const auto& all = project == kFarProject ? far_ : rivals_;
  const auto rivals = all.find(origin);
  if (rivals == all.end()) return 0;
  const auto found = rivals->second.by_name.find(project);
  return found == rivals->second.by_name.end() ? 0 : found->second.waiting.size();
}

}  // namespace eole::simulation
