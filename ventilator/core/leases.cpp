#include "ventilator/core/leases.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"

namespace eole::ventilator {

using protocol::Held;
using protocol::HeldState;

namespace {
// What runs elsewhere, too, is suspect only there.
void suspect(Task& task, const Lease& lease, Tasks& tasks) {
  task.has_elder() ? tasks.end_one(task, lease) : tasks.suspect(task);
}
}  // namespace

void Leases::send(std::uint64_t first_number, std::uint32_t start,
                  const std::vector<LeaseRun>& runs, Tasks& tasks) {
  for (const auto& run : runs) {
    pipe_.push_back({first_number, run.seq, {start, run.lease_number}, run.count});
    first_number += run.count;
    outstanding_ += run.count;
  }
  if (pipe_.size() <= pipe_max_) return;
  std::erase_if(pipe_, [&](const Stretch& stretch) { return !is_any_leased(stretch, tasks); });
  pipe_max_ = std::max<std::size_t>(64, 2 * pipe_.size());
}

bool Leases::is_any_leased(const Stretch& stretch, Tasks& tasks) const {
  for (std::uint32_t i = 0; i < stretch.count; ++i)
    if (tasks.leased_as(stretch.seq + i, stretch.lease_of(i), run_) != nullptr) return true;
  return false;
}

// Not looked for among those that are here: a task may stand twice, and counts once.
void Leases::adopt(Seq seq, const Lease& lease) {
  ++outstanding_;
  if (!pipe_.empty()) {
    auto& last = pipe_.back();
    const bool follows = last.number == 0 && last.seq + last.count == seq &&
                         last.lease_of(last.count) == lease && last.count < UINT32_MAX;
    if (follows) return void(++last.count);
  }
  pipe_.push_back({0, seq, lease, 1});
}

void Leases::release(std::uint64_t count) {
  invariant(count <= outstanding_, "a worker gives back only what it was leased");
  outstanding_ -= count;
  if (outstanding_ == 0) pipe_.clear();
}

Leases::Left Leases::take_over(const Leases& before, std::optional<std::uint64_t> received,
                               const std::vector<Held>& held, Origin origin, Tasks& tasks) {
  std::unordered_map<Seq, bool> holds;  // Whether it was counted.
  for (const auto& task : held)
    if (task.id.origin == origin) holds.emplace(task.id.seq, false);
  Left left;
  for (const auto& stretch : before.pipe_)
    for (std::uint32_t i = 0; i < stretch.count; ++i) {
      const auto seq = stretch.seq + i;
      auto* task = tasks.leased_as(seq, stretch.lease_of(i), run_);
      if (task == nullptr) continue;
      const auto found = holds.find(seq);
      const auto lease = stretch.lease_of(i);
      if (received && stretch.number != 0 && stretch.number + i > *received) {
        if (task->has_elder()) {
          if (tasks.end_unbegun(*task, lease)) left.uncopied.push_back(seq);
          continue;
        }
        tasks.give_back(*task);
        left.never_arrived.push_back(seq);
      } else if (found == holds.end()) {
        suspect(*task, lease, tasks);
        left.gone.emplace_back(seq, lease);
      } else if (!std::exchange(found->second, true)) {
        adopt(seq, lease);
      }
    }
  return left;
}

LeasedTasks Leases::take_missing(std::uint64_t received, const std::vector<Held>& held,
                                 Origin origin, Tasks& tasks) {
  std::unordered_set<Seq> holds;
  for (const auto& task : held)
    if (task.id.origin == origin) holds.insert(task.id.seq);
  LeasedTasks missing;
  std::erase_if(pipe_, [&](const Stretch& stretch) {
    bool is_over = true;
    for (std::uint32_t i = 0; i < stretch.count; ++i) {
      const auto seq = stretch.seq + i;
      auto* task = tasks.leased_as(seq, stretch.lease_of(i), run_);
      if (task == nullptr) continue;
      const bool is_in_pipe = stretch.number != 0 && stretch.number + i > received;
      if (holds.contains(seq) || (is_in_pipe && !planted("in-the-pipe-means-lost"))) {
        is_over = false;
      } else {
        suspect(*task, stretch.lease_of(i), tasks);
        missing.emplace_back(seq, stretch.lease_of(i));
      }
    }
    return is_over;
  });
  return missing;
}

LeasedTasks Leases::take_all(Tasks& tasks) {
  LeasedTasks all;
  for (const auto& stretch : pipe_)
    for (std::uint32_t i = 0; i < stretch.count; ++i) {
      auto* task = tasks.leased_as(stretch.seq + i, stretch.lease_of(i), run_);
      if (task == nullptr) continue;
      suspect(*task, stretch.lease_of(i), tasks);
      all.emplace_back(stretch.seq + i, stretch.lease_of(i));
    }
  return all;
}

Holding judge(const Held& held, const Task* task, RunId run, bool is_over) {
  const bool is_returned = held.state == HeldState::kReturned;
  const bool is_unfinished = held.state == HeldState::kWaiting || held.state == HeldState::kStarted;
  const auto unless_finished = [&](Holding order) {
    return is_unfinished ? order : Holding::kFinished;
  };
  if (is_over) return is_returned ? Holding::kReleased : unless_finished(Holding::kDrop);
  const bool is_current = task != nullptr && task->is_leased(run, held.lease);
  if (is_returned) return is_current ? Holding::kReturned : Holding::kReleased;
  if (is_current || task == nullptr) return is_current ? Holding::kKept : Holding::kAdopted;
  // Its failure is known; only the acknowledgement lacks.
  if (task->story && (held.lease <= task->story->failed || held.lease == task->story->failed_copy))
    return Holding::kFinished;
  // A task of an earlier link or start, or one that we took for lost: its holder keeps it, unless a
  // later lease of it is out.
  if (task->is(Task::State::kLeased) && task->lease > held.lease)
    return unless_finished(Holding::kDrop);
  if (task->is(Task::State::kEnding))
    return unless_finished(task->is_cancelled ? Holding::kCancel : Holding::kDrop);
  return Holding::kAdopted;
}

}  // namespace eole::ventilator
