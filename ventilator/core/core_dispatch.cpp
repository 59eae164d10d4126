#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/core.hpp"

// Which task goes where, and what becomes of one that comes back.
namespace eole::ventilator {

using protocol::TaskClass;
using protocol::Value;

namespace {
constexpr Duration kPutRightEvery = 1s;  // What ended untold; costs a look at each class.
constexpr Duration kKeepEvery = 1s;      // Costs a look at each worker.

// A msgpack list; nothing of none.
Bytes list_of(const std::vector<std::string>& lost) {
  if (lost.empty()) return {};
  return Value(Value::Array(lost.begin(), lost.end())).to_msgpack();
}
}  // namespace

// Told by the log, so exact; what ran while a project was alone is not held against it.
void Core::count_ran(const protocol::Settlement::Ran& ran) {
  const auto* task_class = class_of(ran.seq);
  if (task_class == nullptr) return;
  const auto shared = static_cast<std::uint64_t>((moment_.now - queue_.shared_since()) / 1us);
  queue_.on_ran(task_class->project, {ran.us, ran.attempts}, shared);
}

// What runs for longer than a beat counts while it runs: what two beats in a row say that it was
// started, as long as there was between them.
void Core::count_started(Worker& worker, const std::vector<protocol::Held>& held) {
  const auto since = std::max(std::exchange(worker.beats.at, moment_.now), queue_.shared_since());
  std::set<Seq> before;
  before.swap(worker.beats.started);
  if (!queue_.is_shared()) return;
  const auto time = static_cast<std::uint64_t>((moment_.now - since) / 1us);
  for (const auto& one : held) {
    if (one.state != protocol::HeldState::kStarted || one.id.origin != durable_.origin) continue;
    const auto seq = one.id.seq;
    const auto* task = tasks_.leased_as(seq, one.lease, worker.link.run);
    if (task == nullptr || task->class_id == kNoClass) continue;
    worker.beats.started.insert(seq);
    if (before.contains(seq))
      queue_.on_runs(durable_.classes.at(task->class_id).project, seq, time);
  }
}

void Core::count_ended(Seq seq, const Task& task, bool is_told) {
  if (queue_.is_shared() && task.class_id != kNoClass)
    queue_.on_ended(durable_.classes.at(task.class_id).project, seq, is_told);
}

Decision Core::decide_on(Seq seq, const Task& task, AttemptEnd end_of) const {
  end_of.id = {durable_.origin, seq};
  end_of.attempt = task.attempt;
  end_of.is_feared = task.is_feared();
  const auto* task_class = class_of(seq);
  return decide(task_class == nullptr ? protocol::TaskClass{} : *task_class, config_.attempts_max,
                end_of);
}

// Their classes may be gone once they are settled.
void Core::count_settled(const Range& range) {
  const auto count = [&](Seq seq, const Task& task) {
    if (task.is(State::kLeased) || task.is(State::kSuspect)) count_ended(seq, task, true);
  };
  if (range.last - range.first > tasks_.size())  // What earlier starts had.
    return tasks_.for_each([&](Seq seq, const Task& task) {
      if (seq >= range.first && seq <= range.last) count(seq, task);
    });
  for (auto seq = range.first; seq <= range.last; ++seq)
    if (const auto* task = tasks_.find(seq)) count(seq, *task);
}

// An attempt was none. Noted, or a restart would count it.
void Core::note_unbegun(Seq seq, const Task& task, Actions& out) {
  out.push_back(
      JournalNote{task.run, task.lease.start, {{seq, task.lease.number, task.attempt}}, false});
}

// The task is nobody's now: cancelled, dead, waiting for its time, or ready again.
void Core::give_back(Seq seq, Task& task, AttemptEnd end_of, const std::string& reason,
                     TimePoint now, Actions& out) {
  count_ended(seq, task, end_of.cause == Cause::kFailed);
  stragglers_.on_given_up(seq, task.class_id);
  tasks_.give_back(task, end_of.cause == Cause::kLost);
  const bool is_lost = end_of.cause == Cause::kLost;
  if (!reason.empty()) task.add_reason(text("attempt ", task.attempt, ": ", reason), is_lost);
  const bool counts = end_of.cause != Cause::kReturned;
  if (!counts && task.attempt > 0) {
    --task.attempt;
    note_unbegun(seq, task, out);
  }
  if (task.is_cancelled) return end(seq, task, protocol::TaskState::kCancelled);
  if (task.attempt == 0)
    if (const auto expired = gates_.expired(seq, moment_)) return end_unbegun(*expired);
  end_of.returns = task.story ? task.story->returns : 0;
  const auto decision = decide_on(seq, task, end_of);
  if (decision.fate == Decision::Fate::kUnwanted)
    task.add_reason(
        text("not tried again: ", end_of.failure, " is none of ", class_of(seq)->retry_on));
  if (decision.fate == Decision::Fate::kDead || decision.fate == Decision::Fate::kUnwanted)
    return end(seq, task, protocol::TaskState::kDead);
  if (decision.pause == Duration{}) return enqueue(seq, task, counts);
  tasks_.wait(task, now + decision.pause);
  timers_.put(seq, now + decision.pause);
}

// Of those whose time has come some may have ended, or be with a worker that held them.
void Core::end_waits(TimePoint now) {
  while (const auto seq = timers_.take_due(now)) {
    auto* task = tasks_.find(*seq);
    if (task == nullptr || !task->is(State::kWaiting)) continue;
    tasks_.give_back(*task);
    enqueue(*seq, *task, true);
  }
}

void Core::enqueue(Seq seq, Task& task, bool in_front) {
  const auto decision = decide_on(seq, task, {.cause = Cause::kReturned});
  const auto id = durable_.classes.of(seq);
  invariant(id != kNoClass, "a task that waits has a class");
  const auto& task_class = durable_.classes.at(id);
  if (gates_.hold_again(seq, moment_.now)) {
    timers_.erase(seq, seq);
    return tasks_.wait(task, {});
  }
  if (decision.fate == Decision::Fate::kAlone) return last_attempts_.put(seq, id, task_class);
  if (!planted("given-back-to-no-lane")) queue_.put(seq, in_front, id, task_class);
}

void Core::end(Seq seq, Task& task, protocol::TaskState verdict) {
  tasks_.end(task, verdict);
  verdicts_.add(seq);
}

void Core::lease_to(const Worker& worker, Seq seq, ClassId id, Load& load) {
  auto& task = tasks_.at(seq);
  const Lease lease{durable_.start, next_.lease};
  if (task.is(State::kLeased)) {
    tasks_.copy(task, worker.link.run, lease);
  } else {
    tasks_.lease(task, worker.link.run, lease, id);
    task.since = moment_.now;
  }
  if (!planted("lease-used-again")) ++next_.lease;
  ++load.count;
  load.needs_sync = load.needs_sync || task.attempt > 1 || queue_.is_recovered(seq);
  auto lost = task.story ? list_of(task.story->lost) : Bytes();
  if (!load.runs.empty()) {
    auto& run = load.runs.back();
    const bool is_told_alone = !(lost.empty() && run.lost.empty());
    if (!is_told_alone && run.seq + run.count == seq &&
        run.lease_number + run.count == task.lease.number && run.attempt == task.attempt) {
      ++run.count;
      return;
    }
  }
  load.runs.push_back({seq, task.lease.number, task.attempt, 1, std::move(lost)});
}

void Core::send(Worker& worker, Load load, Actions& out) {
  const auto first = worker.credit.sent() + 1;
  worker.credit.send(load.count);
  worker.leases.send(first, durable_.start, load.runs, tasks_);
  out.push_back(JournalNote{worker.link.run, durable_.start, load.runs, load.needs_sync});
  out.push_back(SendTasks{worker.link, first, std::move(load.runs)});
}

void Core::dispatch_alone(TimePoint now, Actions& out) {
  const auto others_wait = [&](const Worker& worker) { return waiting_for(worker) > 0; };
  const auto is_open = [&](const TaskClass& task_class) {
    return limits_.room(task_class, now) > 0;
  };
  const auto lease = [&](Worker& worker, Seq seq) {
    Load load;
    tasks_.placement().add(durable_.classes.of(seq), *class_of(seq));
    lease_to(worker, seq, durable_.classes.of(seq), load);
    worker.alone = seq;
    limits_.on_leased(*class_of(seq), 1, now);
    gates_.on_leased(seq, 1, now);
    send(worker, std::move(load), out);
  };
  last_attempts_.place(fleet_, tasks_, others_wait, is_open, lease, now);
}

std::uint64_t Core::waiting_for(const Worker& worker) const {
  return queue_.size([&](const TaskClass& task_class) {
    return fleet_.room(worker, task_class, tasks_.placement());
  });
}

void Core::dispatch(TimePoint now, Actions& out) {
  const Queue::Room room = [&](const TaskClass& task_class) {
    const auto left = limits_.room(task_class, now);
    if (left == 0 && moment_.has_listeners && now >= next_.held_limit)
      if (auto why = limits_.why(task_class); why && why->code != "paused")
        tell_limit(next_.held_limit, why->code, std::move(why->text), task_class, now, out);
    return left;
  };
  limits_.begin_turn(durable_.classes, tasks_.running(), now);
  queue_.let_go(room);
  queue_.begin_turn(now);
  if (now >= next_.put_right && queue_.is_shared()) {
    next_.put_right = now + kPutRightEvery;
    queue_.put_right(durable_.classes, tasks_.running());
  }
  dispatch_alone(now, out);
  dispatch_queued(room, now, out);
  keep_room(now);
}

// Who has found no room in the resources of any worker may be kept some.
void Core::keep_room(TimePoint now) {
  if (now < next_.keep) return;
  next_.keep = now + kKeepEvery;
  const auto* first = queue_.first([&](const TaskClass& like) {
    return fleet_.could_have(like, tasks_.placement());
  });
  fleet_.keep_room(first, tasks_.placement(), now);
}

void Core::dispatch_queued(const Queue::Room& room, TimePoint now, Actions& out) {
  while (queue_.size() > queue_.held()) {
    std::vector<std::pair<Worker*, std::uint64_t>> open;  // And how much each could take.
    for (auto* worker : fleet_.open(last_attempts_.reserved()))
      if (const auto waiting = waiting_for(*worker)) open.emplace_back(worker, waiting);
    bool sent_any = false;
    for (const auto& [worker, waiting] : open) {
      worker->is_others_turn = false;
      // Shares what there is among those who can take it: nobody starves beside a full neighbour.
      const auto share = std::clamp<std::uint64_t>(waiting / open.size(), 1, config_.dispatch_max);
      auto load = load_for(*worker, std::min(share, worker->room()), open.size(), room, now);
      if (load.count == 0) continue;
      sent_any = true;
      send(*worker, std::move(load), out);
    }
    if (!sent_any) return;
  }
}

// What a limit lets go is shared, too: each of so many has its part of it, in turns.
Core::Load Core::load_for(const Worker& worker, std::uint64_t most, std::uint64_t among,
                          const Queue::Room& room, TimePoint now) {
  const Queue::Fits fits = [&](const TaskClass& task_class) {
    return fleet_.room(worker, task_class, tasks_.placement());
  };
  const Queue::Room part = [&](const TaskClass& task_class) {
    const auto all = room(task_class);
    return all == kNoLimit ? all : (all + among - 1) / among;
  };
  Load load;
  while (load.count < most) {
    const auto served = queue_.next(fits, part, most - load.count, tasks_, durable_.settled);
    if (!served) break;
    const auto& task_class = durable_.classes.at(served->id);
    tasks_.placement().add(served->id, task_class);
    for (const auto& [first, count] : served->stretches) {
      for (std::uint64_t i = 0; i < count; ++i) {
        lease_to(worker, first + i, served->id, load);
        if (task_class.speculate != 0)
          stragglers_.on_leased(first + i, served->id, task_class, now);
      }
      gates_.on_leased(first, count, now);
    }
    limits_.on_leased(task_class, served->count, now);
    if (served->is_limited) break;
  }
  return load;
}

}  // namespace eole::ventilator
