#include "ventilator/core/gates/project_waits.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

using protocol::OnParentFailure;
using protocol::TaskState;

bool ProjectWaits::enter(const Arrival& arrival, const Moment&, const Ends&, Released& out) {
  const auto seq = arrival.seq;
  std::set<std::string> names;
  protocol::ParentReader parents(arrival.conditions.parents);
  while (auto parent = parents.next())
    if (!parent->project.empty() && projects_.find(parent->project) != nullptr)
      names.insert(std::move(parent->project));
  if (names.empty() || planted("projects-not-waited-for")) return false;
  children_[seq] = {{names.begin(), names.end()}, arrival.on_parent_failure};
  for (const auto& name : names) {
    const auto& project = *projects_.find(name);
    auto& line = lines_[name];
    if (project.is_opened && project.opened_after < seq) {
      line.until_over.insert(seq);
    } else {
      // Those before it of which no other that waits is counted.
      const auto live = is_counted_ ? classes_.live_of(name) - line.live : 0;
      line.before.emplace_hint(line.before.end(), seq, live);
      line.live += live;
    }
    if (is_counted_) let_go(lines_.find(name), out);
    if (!children_.contains(seq)) break;
  }
  const bool is_ended = std::any_of(out.ended.begin(), out.ended.end(),
                                    [&](const auto& ended) { return ended.seq == seq; });
  return children_.contains(seq) || is_ended;
}

bool ProjectWaits::is_over(std::string_view name, const Project& project) const {
  return project.is_closed && classes_.live_of(name) == 0;
}

// What it alone was counted for, the next one is.
void ProjectWaits::drop(Line& line, Seq child) {
  line.until_over.erase(child);
  const auto at = line.before.find(child);
  if (at == line.before.end()) return;
  const auto live = at->second;
  const auto next = line.before.erase(at);
  next == line.before.end() ? line.live -= live : next->second += live;
}

void ProjectWaits::pass(Seq child, std::string_view project, Released& out) {
  const auto waits = children_.find(child);
  if (waits == children_.end()) return;
  std::erase(waits->second.projects, project);
  if (!waits->second.projects.empty()) return;
  children_.erase(waits);
  out.seqs.push_back(child);
}

void ProjectWaits::fail(Seq child, std::string_view project, Released& out) {
  const auto waits = children_.find(child);
  if (waits == children_.end()) return;
  const bool is_skipped = waits->second.on_failure == OnParentFailure::kSkip;
  out.ended.push_back({child,
                       is_skipped ? TaskState::kCancelled : TaskState::kFailed,
                       {is_skipped ? "skipped" : "parent_failed",
                        text(is_skipped ? "skipped: " : "", "project ", project,
                             ", which it waits for, has tasks that were not done")}});
  for (const auto& name : waits->second.projects)
    if (name != project)
      if (const auto other = lines_.find(name); other != lines_.end()) drop(other->second, child);
  children_.erase(waits);
}

// All that need not wait for this project any more.
void ProjectWaits::let_go(Lines::iterator at, Released& out) {
  auto& [name, line] = *at;
  const auto* project = projects_.find(name);
  const auto not_done = project == nullptr ? 0 : project->first_not_done;
  const auto runs_anyway = [&](Seq child) {
    const auto waits = children_.find(child);
    return waits == children_.end() || waits->second.on_failure == OnParentFailure::kRun ||
           planted("failed-project-ignored");
  };
  if (not_done != 0)
    for (auto child = line.before.upper_bound(not_done); child != line.before.end();) {
      const auto seq = (child++)->first;
      if (runs_anyway(seq)) continue;
      drop(line, seq);
      fail(seq, name, out);
    }
  while (!line.before.empty() && line.before.begin()->second == 0) {
    const auto seq = line.before.begin()->first;
    line.before.erase(line.before.begin());
    pass(seq, name, out);
  }
  if (project == nullptr || is_over(name, *project))
    for (const auto seq : std::exchange(line.until_over, {}))
      not_done == 0 || runs_anyway(seq) ? pass(seq, name, out) : fail(seq, name, out);
  if (line.before.empty() && line.until_over.empty()) lines_.erase(at);
}

void ProjectWaits::on_tasks_ended(const EndedTasks& ended, Released& out) {
  const auto line = lines_.find(ended.project);
  if (line == lines_.end() || !is_counted_) return;
  auto& before = line->second.before;
  if (const auto child = before.upper_bound(ended.first); child != before.end()) {
    child->second -= ended.count;
    line->second.live -= ended.count;
  }
  let_go(line, out);
}

void ProjectWaits::on_over(std::string_view project, Released& out) {
  if (const auto line = lines_.find(project); line != lines_.end() && is_counted_)
    let_go(line, out);
}

void ProjectWaits::on_ended(Seq first, Seq last, const Ends&, Released&) {
  for (auto child = children_.lower_bound(first);
       child != children_.end() && child->first <= last;) {
    for (const auto& name : child->second.projects) {
      const auto line = lines_.find(name);
      if (line == lines_.end()) continue;
      drop(line->second, child->first);
      if (line->second.before.empty() && line->second.until_over.empty()) lines_.erase(line);
    }
    child = children_.erase(child);
  }
}

void ProjectWaits::on_introduced(const Ends&, Released& out) {
  if (std::exchange(is_counted_, true)) return;
  for (const auto& [first, stretch] : classes_.stretches()) {
    if (lines_.empty()) return;
    const auto line = lines_.find(classes_.at(stretch.id).project);
    if (line == lines_.end()) continue;
    auto& before = line->second.before;
    const auto child = before.upper_bound(first);
    if (child == before.end()) continue;
    child->second += stretch.live;
    line->second.live += stretch.live;
  }
  for (auto line = lines_.begin(); line != lines_.end();) let_go(line++, out);
}

void ProjectWaits::waiters_of(Seq seq, std::string_view project, std::size_t most,
 std::vector<Seq>& out) const {
  const auto line = lines_.find(project);
  if (line == lines_.end()) return;
  const auto& [before, live, until_over] = line->second;
  for (auto child = until_over.begin(); child != until_over.end() && out.size() < most; ++child)
    out.push_back(*child);
  for (auto child = before.upper_bound(seq); child != before.end() && out.size() < most; ++child)
    out.push_back(child->first);
}

std::optional<Why> ProjectWaits::why(Seq seq, const Moment&) const {
  const auto child = children_.find(seq);
  if (child == children_.end()) return std::nullopt;
  const auto& name = child->second.projects.front();
  const auto line = lines_.find(name);
  const bool is_until_over = line != lines_.end() && line->second.until_over.contains(seq);
  return Why{"project", text("waits for project ", name,
                             is_until_over ? " to be closed and over"
                                           : "'s tasks that were accepted before it")};
}

}  // namespace eole::ventilator
