#include "ventilator/core/tasks.hpp"

#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/utf8.hpp"

namespace eole::ventilator {

namespace {
constexpr std::size_t kReasonsMax = 16;  // Kept per task; older ones are dropped.
constexpr std::size_t kReasonBytesMax = 2048;  // Of one: all of them fit a task run.

constexpr unsigned bit(Task::State state) { return 1U << static_cast<unsigned>(state); }
// A worker has it, or may have it still.
constexpr bool is_running(Task::State state) {
  return state == Task::State::kLeased || state == Task::State::kNoted ||
         state == Task::State::kSuspect;
}
bool is_timed(const Task& task) {
  return task.is(Task::State::kWaiting) && task.story->waits_until != TimePoint{};
}
constexpr unsigned kAnyButEnding = ~bit(Task::State::kEnding);
}  // namespace

void Task::add_reason(std::string reason, bool is_lost) {
  reason = cut_text(reason, kReasonBytesMax);
  const auto add = [&](std::vector<std::string>& reasons) {
    if (reasons.size() == kReasonsMax) reasons.erase(reasons.begin());
    reasons.push_back(reason);
  };
  add(told().reasons);
  if (is_lost) add(told().lost);
}

Task* Tasks::leased_as(Seq seq, const Lease& lease, RunId run) {
  auto* task = find(seq);
  return task != nullptr && task->is_leased(run, lease) ? task : nullptr;
}

Task& Tasks::at(Seq seq) {
  highest_ = std::max(highest_, seq);
  const auto before = table_.size();
  auto& task = table_[seq];
  if (table_.size() != before) ++counts_[static_cast<std::size_t>(State::kReady)];
  return task;
}

void Tasks::move(Task& task, State to, unsigned from, RunId run) {
  invariant((from & bit(task.state_)) != 0, "a task moves only between states that follow");
  invariant(!task.has_elder(), "of two leases one ends first");
  --counts_[static_cast<std::size_t>(task.state_)];
  ++counts_[static_cast<std::size_t>(to)];
  if (is_running(task.state_)) count(task, UINT64_MAX);
  if (is_timed(task)) --timed_;
  if (task.is(State::kLeased)) placement_.release(task.run, task.class_id);
  task.state_ = to;
  task.run = run;
  if (is_running(to)) count(task, 1);
  if (to == State::kLeased) placement_.lease(run, task.class_id);
}

void Tasks::count(const Task& task, std::uint64_t more) {
  if (task.class_id == kNoClass) return;
  if (task.class_id >= running_.size()) running_.resize(task.class_id + 1);
  running_[task.class_id] += more;
}

void Tasks::note(Task& task, ClassId id) {
  task.class_id = id;
  move(task, State::kNoted, bit(State::kReady), task.run);
}

void Tasks::lease(Task& task, RunId run, const Lease& lease, ClassId id) {
  task.class_id = id;
  move(task, State::kLeased, bit(State::kReady), run);
  task.lease = lease;
  task.is_recalled = false;
  if (task.story) task.story->was_copied = false;
  ++task.attempt;
}

void Tasks::adopt(Task& task, RunId run, const Lease& lease, ClassId id) {
  if (!is_running(task.state_)) task.class_id = id;
  move(task, State::kLeased, kAnyButEnding, run);
  task.lease = lease;
  task.attempt = std::max<std::uint16_t>(task.attempt, 1);
}

void Tasks::copy(Task& task, RunId run, const Lease& lease) {
  invariant(task.is(State::kLeased) && !task.has_elder(), "what runs once may have a copy");
  task.told().elder = {task.run, task.lease};
  task.told().was_copied = true;
  task.run = run;
  task.lease = lease;
  ++task.attempt;
  ++copies_;
  count(task, 1);
  placement_.lease(run, task.class_id);
}

void Tasks::end_one(Task& task, Lease lease) {
  invariant(task.has_elder(), "one of two leases ends");
  const auto elder = std::exchange(task.story->elder, {});
  const bool is_elder = lease == elder.lease;
  placement_.release(is_elder ? elder.run : task.run, task.class_id);
  if (!is_elder) task.run = elder.run, task.lease = elder.lease;
  task.is_recalled = false;
  --copies_;
  count(task, UINT64_MAX);
}

bool Tasks::end_unbegun(Task& task, Lease lease) {
  const bool is_copy = task.lease == lease;
  end_one(task, lease);
  if (!is_copy) return false;
  --task.attempt;
  task.story->was_copied = false;
  return true;
}

void Tasks::suspect(Task& task) {
  move(task, State::kSuspect, bit(State::kLeased) | bit(State::kNoted), task.run);
}

void Tasks::wait(Task& task, TimePoint until) {
  move(task, State::kWaiting, bit(State::kReady), task.run);
  task.told().waits_until = until;
  if (is_timed(task)) ++timed_;
}

void Tasks::give_back(Task& task, bool is_lost) {
  move(task, State::kReady, kAnyButEnding, 0);
  if (is_lost) ++lost_;
}

void Tasks::end(Task& task, protocol::TaskState verdict) {
  move(task, State::kEnding, kAnyButEnding, 0);
  task.verdict = verdict;
}

void Tasks::settle(Seq seq) {
  const auto* task = find(seq);
  if (task == nullptr) return;
  invariant(!task->has_elder(), "of two leases one ends first");
  --counts_[static_cast<std::size_t>(task->state_)];
  if (is_running(task->state_)) count(*task, UINT64_MAX);
  if (is_timed(*task)) --timed_;
  if (task->is(State::kLeased)) placement_.release(task->run, task->class_id);
  table_.erase(seq);
}

// Neighbours that are leased together are one entry.
void Tasks::save_notes(SavePlace& place, Bytes& out) const {
  Seq first = 0;
  Note note;
  const auto put_last = [&] {
    if (first != 0) put_note(out, first, note);
    first = 0;
  };
  for (auto seq = place.number; const auto* task = table_.next(seq); ++seq) {
    if (out.size() + 2 * kNoteBytes > kPartBytesMax) break;
    place.number = seq + 1;
    if (task->attempt == 0) continue;
    const bool follows = first + note.count == seq && note.run == task->run &&
                         note.attempt == task->attempt &&
                         task->lease == Lease{note.lease.start, note.lease.number + note.count};
    if (first != 0 && follows && note.count < protocol::kTasksPerMessageMax) {
      ++note.count;
      continue;
    }
    put_last();
    first = seq;
    note = {task->run, task->lease, task->attempt, 1};
  }
  put_last();
}

}  // namespace eole::ventilator
