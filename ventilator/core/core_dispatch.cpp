#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// Which task goes where, and what becomes of one that comes back.
namespace eole::ventilator {

// The task is nobody's now: cancelled, dead, waiting for its time, or ready again.
void Core::give_back(Seq seq, Task& task, Cause cause, const std::string& reason, TimePoint now,
                     Actions& out) {
  tasks_.give_back(task);
  if (!reason.empty()) task.add_reason(text("attempt ", task.attempt, ": ", reason));
  const bool counts = cause != Cause::kReturned;
  if (!counts && task.attempt > 0) {
    --task.attempt;  // Noted too, or a restart would count it.
    out.push_back(
        JournalNote{0, task.lease.start, {{seq, task.lease.number, task.attempt}}, false});
  }
  if (task.is_cancelled) return end(seq, task, protocol::TaskState::kCancelled);
  const auto decision = decide(task.attempt, attempts_max_of(seq), cause, task.is_feared());
  if (decision.fate == Decision::Fate::kDead) return end(seq, task, protocol::TaskState::kDead);
  if (decision.pause == Duration{}) return enqueue(seq, task, counts);
  tasks_.wait(task, now + decision.pause);
  timers_.put(seq, now + decision.pause);
}

// Of those whose time has come some may have ended, or have begun to wait anew.
void Core::end_waits(TimePoint now) {
  for (const auto seq : timers_.take_due(now)) {
    auto* task = tasks_.find(seq);
    if (task == nullptr || !task->is(State::kWaiting) || task->story->waits_until > now) continue;
    tasks_.give_back(*task);
    enqueue(seq, *task, true);
  }
}

void Core::enqueue(Seq seq, Task& task, bool in_front) {
  const auto decision =
      decide(task.attempt, attempts_max_of(seq), Cause::kReturned, task.is_feared());
  if (decision.fate == Decision::Fate::kAlone) return last_attempts_.put(seq);
  queue_.put(seq, in_front);
}

void Core::end(Seq seq, Task& task, protocol::TaskState verdict) {
  tasks_.end(task, verdict);
  verdicts_.add(seq);
}

void Core::lease_to(const Worker& worker, Seq seq, Load& load) {
  auto& task = tasks_.at(seq);
  tasks_.lease(task, worker.link.run, {durable_.start, next_lease_});
  if (!planted("lease-used-again")) ++next_lease_;
  ++load.count;
  load.needs_sync = load.needs_sync || task.attempt > 1 || queue_.is_recovered(seq);
  if (!load.runs.empty()) {
    auto& run = load.runs.back();
    if (run.seq + run.count == seq && run.lease_number + run.count == task.lease.number &&
        run.attempt == task.attempt) {
      ++run.count;
      return;
    }
  }
  load.runs.push_back({seq, task.lease.number, task.attempt, 1});
}

void Core::send(Worker& worker, Load load, Actions& out) {
  const auto first = worker.credit.sent() + 1;
  worker.credit.send(load.count);
  worker.leases.send(first, durable_.start, load.runs, tasks_);
  out.push_back(JournalNote{worker.link.run, durable_.start, load.runs, load.needs_sync});
  out.push_back(SendTasks{worker.link, first, std::move(load.runs)});
}

void Core::dispatch_alone(TimePoint now, Actions& out) {
  const auto result = last_attempts_.place(fleet_, tasks_, !queue_.is_empty(), now);
  for (const auto seq : result.refused) queue_.park(seq, tasks_);
  for (const auto& [run, seq] : result.placed) {
    auto& worker = *fleet_.find(run);
    Load load;
    lease_to(worker, seq, load);
    worker.alone = seq;
    send(worker, std::move(load), out);
  }
}

void Core::dispatch(TimePoint now, Actions& out) {
  dispatch_alone(now, out);
  while (!queue_.is_empty()) {
    const auto open = fleet_.open(last_attempts_.reserved());
    if (open.empty()) return;
    // Shares what there is among those who can take it: nobody starves beside a full neighbour.
    const auto share =
        std::clamp<std::uint64_t>(queue_.size() / open.size(), 1, config_.dispatch_max);
    bool sent_any = false;
    for (auto* worker : open) {
      worker->is_others_turn = false;
      Load load;
      const auto most = std::min(share, worker->room());
      while (load.count < most) {
        const auto stretch = queue_.next(worker->link.run, fleet_.order(), most - load.count,
                                         tasks_, durable_.settled);
        if (!stretch) break;
        for (std::uint64_t i = 0; i < stretch->count; ++i)
          lease_to(*worker, stretch->first + i, load);
      }
      if (load.count == 0) continue;
      sent_any = true;
      send(*worker, std::move(load), out);
    }
    if (!sent_any) return;
  }
}

}  // namespace eole::ventilator
