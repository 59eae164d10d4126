#include "ventilator/core/queue.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include "common/base/planted.hpp"
#include "ventilator/core/limits/limit.hpp"

namespace eole::ventilator {

namespace {

// What of a class a worker is asked about.
std::string group_of(const protocol::TaskClass& task_class) {
  auto name = task_class.kind;
  if (task_class.needs.empty() && task_class.place.empty()) return name;
  const bool is_spread = task_class.place == "spread";  // A project's tasks over workers.
  for (const auto& part : {task_class.needs, task_class.place, is_spread ? task_class.project : ""})
    name.append(1, '\0').append(part);
  return name;
}

}  // namespace

Queue::Lane& Queue::lane_of(ClassId id, const protocol::TaskClass& task_class) {
  if (const auto found = lanes_.find(id); found != lanes_.end()) return found->second;
  auto name = group_of(task_class);
  auto group = groups_.find(name);
  if (group == groups_.end()) {
    group = groups_.emplace(std::move(name), Group{}).first;
    group->second.like = task_class;
  }
  const auto priority = planted("priority-ignored") ? 0 : task_class.priority;
  const auto rank = static_cast<std::uint8_t>(protocol::kPriorityMax - priority);
  auto& project = projects_[task_class.project];
  catch_up(project);
  const bool is_held = !project.tracks.empty() && Queue::is_held(project);
  auto& track = group->second.tracks[{rank, task_class.project}];
  if (track.lanes++ == 0) {
    track.group = group;
    track.rank = rank;
    track.project = &project;
    project.tracks.insert(&track);
    project.share = &shares_.enter(task_class.project, begin_of(group->second, rank));
    group->second.served.try_emplace(rank, project.share->served());
  }
  auto& lane = lanes_.emplace(id, Lane{&track, &task_class}).first->second;
  // As all of its project, until it is let go: nobody begins where a project is that is held.
  lane.is_held = is_held;
  if (is_held) held_.insert(id);
  return lane;
}

std::optional<std::uint64_t> Queue::begin_of(const Group& group, std::uint8_t rank) {
  std::optional<std::uint64_t> begin;
  if (const auto last = group.served.find(rank); last != group.served.end()) begin = last->second;
  if (const auto first = group.turns.lower_bound({rank});
      first != group.turns.end() && first->rank == rank)
    begin = std::max(begin.value_or(0), first->served);
  return begin;
}

bool Queue::is_held(const Project& project) {
  return std::all_of(project.tracks.begin(), project.tracks.end(),
                     [](const Track* track) { return track->is_held(); });
}

void Queue::relist(Track& track) {
  auto& turns = track.group->second.turns;
  std::set<Turn>::node_type listed;
  if (track.turn.track != nullptr) listed = turns.extract(track.turn);
  track.turn = {};
  if (track.is_held()) return;
  track.turn = {track.rank, track.project->share->served(), track.open.begin()->first, &track};
  if (listed.empty()) return void(turns.insert(track.turn));
  listed.value() = track.turn;
  turns.insert(std::move(listed));
}

void Queue::unlist(ClassId id, const Lane& lane) {
  if (!lane.is_empty() && !lane.is_held)
    lane.track->unlisted = lane.track->open.extract({lane.first(), id});
}

void Queue::list(ClassId id, Lane& lane) {
  if (lane.is_empty()) return drop(id, lane);
  auto& track = *lane.track;
  if (lane.is_held) {
    track.unlisted = {};
  } else if (track.unlisted.empty()) {
    track.open.emplace(lane.first(), id);
  } else {
    track.unlisted.value() = {lane.first(), id};
    track.open.insert(std::move(track.unlisted));
  }
  relist(track);
}

void Queue::drop(ClassId id, Lane& lane) {
  auto& track = *lane.track;
  resize(lane, lane.size, 0);
  if (lane.is_held) held_.erase(id);
  lanes_.erase(id);
  --track.lanes;
  relist(track);
  if (track.lanes > 0) return;
  auto& project = *track.project;
  const auto group = track.group;
  const auto name = std::pair(track.rank, project.share->name);
  shares_.leave(*project.share);
  project.tracks.erase(&track);
  if (project.tracks.empty()) projects_.erase(name.second);
  auto& tracks = group->second.tracks;
  tracks.erase(name);
  const auto next = tracks.lower_bound({name.first, ""});
  if (next == tracks.end() || next->first.first != name.first)
    group->second.served.erase(name.first);
  if (tracks.empty()) groups_.erase(group);
}

void Queue::serve(Lane& lane, std::uint64_t tasks) {
  auto& project = *lane.track->project;
  lane.track->group->second.served[lane.track->rank] = project.share->served();
  shares_.on_leased(*project.share, tasks);
  for (auto* track : project.tracks)
    if (track != lane.track) relist(*track);
}

// Who is held hears whose turn it was at a worker that would take it, too.
void Queue::tell_held(const Track& served, const Fits& fits) {
  if (held_.empty() || planted("held-alone-adds-up")) return;
  const auto had = served.project->share->served();
  for (auto& [name, group] : groups_) {
    if (group.turns.size() == group.tracks.size()) continue;  // Of it nobody is held.
    const auto last = group.served.find(served.rank);
    if (last != group.served.end() && last->second < had && fits(group.like) > 0)
      last->second = had;
  }
}

void Queue::relist(const std::string& project) {
  const auto found = projects_.find(project);
  if (found == projects_.end()) return;
  for (auto* track : found->second.tracks) relist(*track);
}

void Queue::on_ran(const std::string& project, const Shares::Ran& ran, std::uint64_t each_most) {
  shares_.on_ran(project, ran, each_most);
  relist(project);
}

void Queue::on_runs(const std::string& project, Seq seq, std::uint64_t time) {
  shares_.on_runs(project, seq, time);
  relist(project);
}

void Queue::on_ended(const std::string& project, Seq seq, bool is_told) {
  shares_.on_ended(project, seq, is_told);
  relist(project);
}

void Queue::put_right(const TaskClasses& classes, const std::vector<std::uint64_t>& leased) {
  Shares::Leased of_project;
  for (ClassId id = 0; id < leased.size(); ++id)
    if (leased[id] > 0) of_project[classes.at(id).project] += leased[id];
  shares_.put_right(of_project);
  for (auto& [name, project] : projects_)
    for (auto* track : project.tracks)
      if (track->turn.served != project.share->served()) relist(*track);
}

void Queue::resize(Lane& lane, std::uint64_t taken, std::uint64_t put) {
  auto& shown = lane.is_held ? held_size_ : lane.track->group->second.size;
  for (auto* size : {&lane.size, &shown, &size_}) *size += put - taken;
}

void Queue::hold(ClassId id, Lane& lane, bool is_held) {
  unlist(id, lane);
  auto& group = lane.track->group->second;
  auto& from = is_held ? group.size : held_size_;
  auto& to = is_held ? held_size_ : group.size;
  from -= lane.size;
  to += lane.size;
  lane.is_held = is_held;
  list(id, lane);
}

// What it was not served while it was held does not add up: nobody who waited with it, and was not
// held, has had less than whose turn was the last.
void Queue::catch_up(Project& project) {
  if (planted("holds-add-up")) return;
  for (const auto* track : project.tracks)
    if (track->is_held())
      Shares::raise(*project.share, track->group->second.served.at(track->rank));
  for (auto* track : project.tracks)
    if (track->turn.served != project.share->served()) relist(*track);
}

void Queue::let_go(const Room& room) {
  for (auto at = held_.begin(); at != held_.end();) {
    auto& lane = lanes_.at(*at);
    if (room(*lane.task_class) == 0) {
      ++at;
      continue;
    }
    catch_up(*lane.track->project);
    hold(*at, lane, false);
    at = held_.erase(at);
  }
}

void Queue::extend(Seq first, std::uint64_t count, ClassId id,
                   const protocol::TaskClass& task_class) {
  auto& lane = lane_of(id, task_class);
  const bool is_first = lane.is_empty() || first < lane.first();
  if (is_first) unlist(id, lane);
  resize(lane, 0, count);
  auto& fresh = lane.fresh;
  if (!fresh.empty() && fresh.back().first + fresh.back().count == first) {
    fresh.back().count += count;
  } else if (fresh.empty() || fresh.back().first < first) {
    fresh.push_back({first, count});
  } else {
    for (auto seq = first; seq < first + count; ++seq) {
      lane.late.push_back(seq);
      std::push_heap(lane.late.begin(), lane.late.end(), std::greater{});
    }
  }
  if (is_first) list(id, lane);
}

void Queue::open_recovered(const TaskClasses& classes) {
  if (std::exchange(is_recovered_open_, true)) return;
  const auto& stretches = classes.stretches();
  for (auto at = stretches.upper_bound(recovered_); at != stretches.begin();) {
    const auto& [first, stretch] = *--at;
    if (stretch.is_conditional) continue;  // Its gates say when.
    const auto count = std::min(stretch.last, recovered_) + 1 - first;
    auto& lane = lane_of(stretch.id, classes.at(stretch.id));
    unlist(stretch.id, lane);
    lane.fresh.push_front({first, count});
    resize(lane, 0, count);
    list(stretch.id, lane);
  }
}

void Queue::put(Seq seq, bool in_front, ClassId id, const protocol::TaskClass& task_class) {
  auto& lane = lane_of(id, task_class);
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

Queue::Choice Queue::choose(const Fits& fits) {
  Choice chosen;
  const Turn* next = nullptr;  // Of another group.
  for (auto& [name, group] : groups_) {
    if (group.turns.empty()) continue;
    const auto fit = planted("lanes-that-do-not-fit") ? kNoLimit : fits(group.like);
    if (fit == 0) continue;
    const auto* turn = &*group.turns.begin();
    if (chosen.group == nullptr || *turn < *chosen.group->turns.begin()) {
      if (chosen.group != nullptr) next = &*chosen.group->turns.begin();
      chosen = {&group, fit};
    } else if (next == nullptr || *turn < *next) {
      next = turn;
    }
  }
  if (chosen.group != nullptr) limit(chosen, next);
  return chosen;
}

const protocol::TaskClass* Queue::first(
    const std::function<bool(const protocol::TaskClass&)>& could) const {
  const Group* first = nullptr;
  for (const auto& [name, group] : groups_) {
    if (group.turns.empty() || !could(group.like)) continue;
    if (first == nullptr || *group.turns.begin() < *first->turns.begin()) first = &group;
  }
  return first == nullptr ? nullptr : &first->like;
}

// To what goes before another lane, or until it is another project's turn.
void Queue::limit(Choice& chosen, const Turn* next) const {
  const auto first = chosen.group->turns.begin();
  const auto& open = first->track->open;
  if (open.size() > 1) chosen.until = std::next(open.begin())->first;
  if (const auto second = std::next(first);
      second != chosen.group->turns.end() && (next == nullptr || *second < *next))
    next = &*second;
  if (next == nullptr || next->rank != first->rank) return;
  if (next->track->project == first->track->project) {
    chosen.until = std::min(chosen.until, next->first);
  } else {
    chosen.until = 0;  // Whose turn it is shows anew after each stretch.
    chosen.most = std::min(chosen.most, shares_.turn(*first->track->project->share, next->served));
  }
}

std::optional<Queue::Served> Queue::next(const Fits& fits, const Room& room, std::uint64_t most,
                                         const Tasks& tasks, const SeqRanges& settled) {
  for (auto chosen = choose(fits); chosen.group != nullptr; chosen = choose(fits)) {
    const auto id = chosen.group->turns.begin()->track->open.begin()->second;
    auto& lane = lanes_.at(id);
    const auto open = room(*lane.task_class);
    if (open == 0) {
      hold(id, lane, true);
      held_.insert(id);
      continue;
    }
    unlist(id, lane);
    Served served{{}, 0, id, open != kNoLimit};
    take(lane, chosen.until, std::min({most, chosen.most, open}), tasks, settled, served);
    if (served.count > 0) {
      tell_held(*lane.track, fits);
      serve(lane, served.count);
    }
    list(id, lane);
    if (served.count > 0) return served;
  }
  return std::nullopt;
}

Seq Queue::Lane::first() const {
  if (!ready.empty()) return ready.front();
  return is_late_next() ? late.front() : fresh.front().first;
}

// A settled task leaves its lane only when it is its turn.
std::optional<Seq> Queue::Lane::first(const SeqRanges& settled) const {
  const auto waits = [&](Seq seq) { return !settled.contains(seq); };
  const auto back = std::find_if(ready.begin(), ready.end(), waits);
  if (back != ready.end()) return *back;
  std::optional<Seq> first;
  if (!late.empty() && waits(late.front())) {
    first = late.front();
  } else {
    for (const auto seq : late)
      if (waits(seq)) first = std::min(first.value_or(UINT64_MAX), seq);
  }
  for (const auto& stretch : fresh) {
    const auto seq = settled.first_missing(stretch.first);
    if (seq >= stretch.first + stretch.count) continue;
    return std::min(first.value_or(UINT64_MAX), seq);
  }
  return first;
}

bool Queue::Lane::is_late_next() const {
  return !late.empty() && (fresh.empty() || late.front() < fresh.front().first);
}

// What came back, one by one, since it may stand here twice; then what is new.
void Queue::take(Lane& lane, Seq until, std::uint64_t most, const Tasks& tasks,
                 const SeqRanges& settled, Served& out) {
  if (const auto stretch = take_ready(lane, tasks)) {
    out.stretches.push_back(*stretch);
    ++out.count;
    return;
  }
  while (!lane.is_empty() && out.count < most && (out.count == 0 || lane.first() < until)) {
    const bool is_late = lane.is_late_next();
    const auto stretch = is_late ? take_late(lane, most - out.count, tasks, settled)
                                 : take_fresh(lane, most - out.count, tasks, settled);
    if (!is_late && lane.fresh.front().count == 0) lane.fresh.pop_front();
    if (!stretch) continue;
    out.stretches.push_back(*stretch);
    out.count += stretch->count;
  }
}

std::optional<Stretch> Queue::take_ready(Lane& lane, const Tasks& tasks) {
  while (!lane.ready.empty()) {
    const auto seq = lane.ready.front();
    lane.ready.pop_front();
    resize(lane, 1, 0);
    const auto* task = tasks.find(seq);
    if (task != nullptr && task->is(Task::State::kReady)) return Stretch{seq, 1};
  }
  return std::nullopt;
}

// Those that became neighbours again.
std::optional<Stretch> Queue::take_late(Lane& lane, std::uint64_t most, const Tasks& tasks,
                                        const SeqRanges& settled) {
  Stretch taken;
  while (lane.is_late_next() && taken.count < most) {
    const auto seq = lane.late.front();
    if (taken.count > 0 && seq != taken.first + taken.count) break;
    std::pop_heap(lane.late.begin(), lane.late.end(), std::greater{});
    lane.late.pop_back();
    resize(lane, 1, 0);
    if (settled.contains(seq) || tasks.find(seq) != nullptr) continue;
    if (taken.count++ == 0) taken.first = seq;
  }
  return taken.count == 0 ? std::nullopt : std::optional(taken);
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

// All that is more urgent, and what its own project has before it: how others' projects take turns
// with it is not foreseen. What came back goes before what is new in its lane.
std::uint64_t Queue::before(Seq seq, ClassId id, std::size_t stretches) const {
  const auto own = lanes_.find(id);
  if (own == lanes_.end()) return 0;
  const auto& own_track = *own->second.track;
  std::uint64_t sum = 0;
  for (const auto& [name, track] : own_track.group->second.tracks) {
    if (track.rank >= own_track.rank && &track != &own_track) continue;
    for (const auto& [first, lane_id] : track.open) {
      const auto& lane = lanes_.at(lane_id);
      sum += track.rank < own_track.rank ? lane.size : lane.before(seq, lane_id == id, stretches);
    }
  }
  return sum;
}

std::uint64_t Queue::Lane::before(Seq seq, bool is_own, std::size_t& stretches) const {
  std::uint64_t sum = 0;
  for (const auto other : ready) {
    if (is_own && other == seq) return sum;
    if (is_own || other < seq) ++sum;
    if (stretches == 0 || --stretches == 0) return sum;
  }
  for (const auto other : late) {
    if (stretches == 0 || --stretches == 0) return sum;
    if (other < seq) ++sum;
  }
  for (const auto& stretch : fresh) {
    if (stretch.first >= seq || stretches == 0) break;
    sum += std::min(stretch.count, seq - stretch.first);
    --stretches;
  }
  return sum;
}

std::uint64_t Queue::size(const Fits& fits) const {
  std::uint64_t sum = 0;
  for (const auto& [name, group] : groups_)
    if (group.size > 0)
      sum += std::min(group.size, planted("lanes-that-do-not-fit") ? kNoLimit : fits(group.like));
  return sum;
}

std::optional<Seq> Queue::oldest(const SeqRanges& settled) const {
  std::optional<Seq> oldest;
  for (const auto& [id, lane] : lanes_)
    if (const auto first = lane.first(settled))
      oldest = std::min(oldest.value_or(UINT64_MAX), *first);
  return oldest;
}

}  // namespace eole::ventilator
