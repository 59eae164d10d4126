#include "ventilator/core/task_class.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

ClassId TaskClasses::find(std::string_view encoded) const {
  if (!stretches_.empty()) {  // Mostly that of the tasks before.
    const auto last = stretches_.rbegin()->second.id;
    if (known_[last].encoded == encoded) return last;
  }
  const auto found = ids_.find(encoded);
  return found == ids_.end() ? kNoClass : found->second;
}

std::optional<Error> TaskClasses::why_refused(std::string_view groups, std::size_t most) const {
  std::set<std::string_view> unknown;
  ByteReader reader(groups);
  while (const auto group = protocol::read_task_group(reader)) {
    if (find(group->task_class) != kNoClass || unknown.contains(group->task_class)) continue;
    const auto task_class = protocol::decode_class(group->task_class);
    if (!task_class) return task_class.error();
    if (size() + unknown.size() >= most && !planted("classes-without-a-bound"))
      return Error{text("kind ", task_class->kind, ", project ", task_class->project, ": ", size(),
                        " classes of tasks (kind, project, attempts, retry) are not settled, "
                        "limit ", most),
                   ErrorCode::kFull};
    unknown.insert(group->task_class);
  }
  return {};
}

ClassId TaskClasses::intern(std::string_view encoded) {
  if (const auto known = find(encoded); known != kNoClass) return known;
  if (free_.empty()) {
    free_.push_back(static_cast<ClassId>(known_.size()));
    known_.emplace_back();
  }
  const auto id = free_.back();
  free_.pop_back();
  auto task_class = protocol::decode_class(encoded);
  invariant(static_cast<bool>(task_class), "a class that is taken makes sense");
  auto& project = projects_[task_class->project];
  ++project.classes;
  known_[id] = {std::move(*task_class), Bytes(encoded), 0, &project};
  ids_.emplace(encoded, id);
  return id;
}

// A stretch that reaches over `at` ends before it, and another begins there. While loading, all
// tasks of a stretch live.
void TaskClasses::split(Seq at) {
  const auto after = stretches_.lower_bound(at);
  if (after == stretches_.begin()) return;
  auto& [first, stretch] = *std::prev(after);
  if (stretch.last < at) return;
  stretches_.emplace_hint(after, at, Stretch{stretch.last, stretch.id, stretch.last + 1 - at, stretch.is_conditional});
  ++known_[stretch.id].uses;
  stretch.last = at - 1;
  stretch.live = at - first;
}

void TaskClasses::ProjectTasks::end(std::uint64_t tasks) {
  const auto share = tasks >= live ? 1 : static_cast<double>(tasks) / static_cast<double>(live);
  bytes -= std::min(bytes, static_cast<std::uint64_t>(static_cast<double>(bytes) * share));
  live -= tasks;
}

TaskClasses::Load TaskClasses::load_within(std::string_view prefix) const {
  Load load;
  for (auto at = projects_.lower_bound(prefix);
       at != projects_.end() && at->first.starts_with(prefix); ++at) {
    load.tasks += at->second.live;
    load.bytes += at->second.bytes;
  }
  return load;
}

ClassId TaskClasses::put(Seq first, std::uint64_t count, std::string_view encoded,
                         bool is_conditional, std::uint64_t bytes) {
  const auto id = intern(encoded);
  const auto last = first + count - 1;
  if (!stretches_.empty() && stretches_.rbegin()->second.last >= first) {
    if (of(first) == id && std::prev(stretches_.upper_bound(first))->second.last >= last) return id;
    split(first);
    split(last + 1);
    std::vector<ClassId> gone;  // Not the new one's: it is in use from here on.
    ++known_[id].uses;
    for (auto at = stretches_.lower_bound(first); at != stretches_.end() && at->first <= last;)
      at = erase(at, gone);
    --known_[id].uses;
  }
  known_[id].project->live += count;
  known_[id].project->bytes += bytes;
  const auto after = stretches_.lower_bound(first);
  if (after != stretches_.begin()) {
    auto& before = std::prev(after)->second;
    const bool is_alike = before.id == id && before.is_conditional == is_conditional;
    if (before.last + 1 == first && is_alike) {
      before.last = last;
      before.live += count;
      return id;
    }
  }
  stretches_.emplace_hint(after, first, Stretch{last, id, count, is_conditional});
  ++known_[id].uses;
  return id;
}

ClassId TaskClasses::of(Seq seq) const {
  const auto after = stretches_.upper_bound(seq);
  if (after == stretches_.begin()) return kNoClass;
  const auto& stretch = std::prev(after)->second;
  return seq <= stretch.last ? stretch.id : kNoClass;
}

TaskClasses::Stretches::iterator TaskClasses::erase(Stretches::iterator stretch,
                                                    std::vector<ClassId>& gone) {
  const auto id = stretch->second.id;
  auto& known = known_[id];
  known.project->end(stretch->second.live);
  if (--known.uses == 0) {
    ids_.erase(known.encoded);
    if (--known.project->classes == 0) projects_.erase(known.task_class.project);
    known = {};
    free_.push_back(id);
    gone.push_back(id);
  }
  return stretches_.erase(stretch);
}

std::uint64_t TaskClasses::settle(Seq first, Seq last, SeqRanges& settled,
                                  std::vector<ClassId>& gone, std::vector<EndedTasks>* ended) {
  auto at = stretches_.upper_bound(first);
  if (at != stretches_.begin()) --at;
  std::uint64_t added = 0;
  auto next = first;  // All before it were added.
  while (next <= last && at != stretches_.end() && at->first <= last) {
    auto& [begins, stretch] = *at;
    const auto end = std::min(stretch.last, last);
    if (end < next) {
      ++at;
      continue;
    }
    if (begins > next) added += settled.add(next, begins - 1);  // Of no class that is known.
    const auto from = std::max(begins, next);
    const auto live = settled.add(from, end);
    const auto& known = known_[stretch.id];
    added += live;
    stretch.live -= live;
    known.project->end(live);
    if (ended != nullptr && live > 0 && !known.task_class.project.empty())
      ended->push_back({known.task_class.project, from, end, live});
    next = end + 1;
    at = stretch.live == 0 ? erase(at, gone) : std::next(at);
  }
  if (next <= last) added += settled.add(next, last);
  return added;
}

std::uint64_t TaskClasses::live_of(std::string_view project) const {
  const auto found = projects_.find(project);
  return found == projects_.end() ? 0 : found->second.live;
}

void TaskClasses::count_live(const SeqRanges& settled) {
  std::vector<ClassId> gone;
  for (auto at = stretches_.begin(); at != stretches_.end();) {
    auto& [first, stretch] = *at;
    const auto live = stretch.last + 1 - first - settled.count_within(first, stretch.last);
    known_[stretch.id].project->end(stretch.live - live);
    stretch.live = live;
    at = stretch.live == 0 ? erase(at, gone) : std::next(at);
  }
}

}  // namespace eole::ventilator
