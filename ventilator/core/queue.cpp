#include "ventilator/core/queue.hpp"

#include <algorithm>
#include <iterator>

#include "common/base/planted.hpp"

namespace eole::ventilator {

Queue::Lane& Queue::lane_of(ClassId id, std::string_view kind) {
  if (const auto found = lanes_.find(id); found != lanes_.end()) return found->second;
  auto its = kinds_.find(kind);
  if (its == kinds_.end()) its = kinds_.emplace(kind, Kind{}).first;
  return lanes_.emplace(id, Lane{its, {}, {}, 0}).first->second;
}

void Queue::unlist(ClassId id, const Lane& lane) {
  if (!lane.is_empty()) lane.kind->second.lanes.erase({lane.first(), id});
}

void Queue::list(ClassId id, Lane& lane) {
  if (lane.is_empty()) return drop(id, lane);
  lane.kind->second.lanes.emplace(lane.first(), id);
}

void Queue::drop(ClassId id, const Lane& lane) {
  const auto kind = lane.kind;
  kind->second.size -= lane.size;
  size_ -= lane.size;
  lanes_.erase(id);
  if (kind->second.lanes.empty()) kinds_.erase(kind);
}

void Queue::resize(Lane& lane, std::uint64_t taken, std::uint64_t put) {
  for (auto* size : {&lane.size, &lane.kind->second.size, &size_}) *size += put - taken;
}

void Queue::extend(Seq first, std::uint64_t count, ClassId id, std::string_view kind) {
  auto& lane = lane_of(id, kind);
  resize(lane, 0, count);
  if (!lane.fresh.empty() && lane.fresh.back().first + lane.fresh.back().count == first) {
    lane.fresh.back().count += count;
    return;
  }
  const bool is_first = lane.is_empty();
  lane.fresh.push_back({first, count});
  if (is_first) list(id, lane);
}

void Queue::open_recovered(const TaskClasses& classes) {
  if (std::exchange(is_recovered_open_, true)) return;
  const auto& stretches = classes.stretches();
  for (auto at = stretches.upper_bound(recovered_); at != stretches.begin();) {
    const auto& [first, stretch] = *--at;
    if (stretch.is_conditional) continue;  // Its gates say when.
    const auto count = std::min(stretch.last, recovered_) + 1 - first;
    auto& lane = lane_of(stretch.id, classes.at(stretch.id).kind);
    unlist(stretch.id, lane);
    lane.fresh.push_front({first, count});
    resize(lane, 0, count);
    list(stretch.id, lane);
  }
}

void Queue::put(Seq seq, bool in_front, ClassId id, std::string_view kind) {
  auto& lane = lane_of(id, kind);
  unlist(id, lane);
  in_front ? lane.ready.push_front(seq) : lane.ready.push_back(seq);
  resize(lane, 0, 1);
  list(id, lane);
}

void Queue::forget(ClassId id) {
  const auto found = lanes_.find(id);
  if (found == lanes_.end()) return;
  unlist(id, found->second);
  drop(id, found->second);
}

// The oldest first task goes first. All lanes of a kind fit alike.
Queue::Kinds::iterator Queue::choose(const Fits& fits) {
  auto chosen = kinds_.end();
  for (auto kind = kinds_.begin(); kind != kinds_.end(); ++kind) {
    if (!fits(kind->first) && !planted("lanes-that-do-not-fit")) continue;
    if (chosen == kinds_.end() || *kind->second.lanes.begin() < *chosen->second.lanes.begin())
      chosen = kind;
  }
  return chosen;
}

std::optional<Stretch> Queue::next(const Fits& fits, std::uint64_t most, const Tasks& tasks,
                                   const SeqRanges& settled) {
  for (auto kind = choose(fits); kind != kinds_.end(); kind = choose(fits)) {
    const auto id = kind->second.lanes.begin()->second;
    auto& lane = lanes_.at(id);
    unlist(id, lane);
    const auto stretch = take(lane, most, tasks, settled);
    list(id, lane);
    if (stretch) return stretch;
  }
  return std::nullopt;
}

// What came back, one by one; then what is new.
std::optional<Stretch> Queue::take(Lane& lane, std::uint64_t most, const Tasks& tasks,
                                   const SeqRanges& settled) {
  while (!lane.ready.empty()) {
    const auto seq = lane.ready.front();
    lane.ready.pop_front();
    resize(lane, 1, 0);
    const auto* task = tasks.find(seq);
    if (task != nullptr && task->is(Task::State::kReady)) return Stretch{seq, 1};
  }
  while (!lane.fresh.empty()) {
    const auto stretch = take_fresh(lane, most, tasks, settled);
    if (lane.fresh.front().count == 0) lane.fresh.pop_front();
    if (stretch) return stretch;
  }
  return std::nullopt;
}

// Skips what is settled, or is more than queued already.
std::optional<Stretch> Queue::take_fresh(Lane& lane, std::uint64_t most, const Tasks& tasks,
                                         const SeqRanges& settled) {
  auto& stretch = lane.fresh.front();
  const auto end = stretch.first + stretch.count;
  auto first = stretch.first;
  while (first < end) {
    const auto missing = first > settled.highest() ? first : settled.first_missing(first);
    if (missing == first && (first > tasks.highest() || tasks.find(first) == nullptr)) break;
    first = missing == first ? first + 1 : std::min(missing, end);
  }
  auto next = std::min(end, first + most);
  if (first < settled.highest()) {
    const auto range = settled.ranges().upper_bound(first);
    if (range != settled.ranges().end()) next = std::min(next, range->first);
  }
  if (first <= tasks.highest())
    for (auto seq = first; seq < next; ++seq)
      if (tasks.find(seq) != nullptr) next = seq;
  resize(lane, next - stretch.first, 0);
  stretch = {next, end - next};
  if (next == first) return std::nullopt;
  return Stretch{first, next - first};
}

std::uint64_t Queue::size(const Fits& fits) const {
  std::uint64_t sum = 0;
  for (const auto& [name, kind] : kinds_)
    if (fits(name) || planted("lanes-that-do-not-fit")) sum += kind.size;
  return sum;
}

}  // namespace eole::ventilator
