#include "ventilator/core/core.hpp"

#include <algorithm>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"

namespace eole::ventilator {

Core::Core(Config config, Durable durable, const Moment& moment)
    : config_(config),
      durable_(std::move(durable)),
      gates_(durable_.origin, durable_.projects, durable_.classes),
      queue_(durable_.last),
      limits_(durable_.wishes, moment.now),
      stragglers_(config.heartbeat),
      fleet_(config, moment.now),
      follower_(config.retry),
      verdicts_(config.retry),
      moment_(moment),
      recovery_{moment.now} {
  for (const auto& [first, note] : durable_.notes.runs())
    for (std::uint32_t i = 0; i < note.count; ++i) {
      if (durable_.settled.contains(first + i)) continue;
      auto& task = tasks_.at(first + i);
      task.attempt = note.attempt;
      task.lease = {note.lease.start, note.lease.number + i};
      task.run = note.run;
      if (planted("restart-runs-at-once")) {
        enqueue(first + i, task, false);
      } else {
        tasks_.note(task, durable_.classes.of(first + i));
      }
    }
  for (const auto seq : durable_.cancelled) {
    if (durable_.settled.contains(seq)) continue;
    auto& task = tasks_.at(seq);
    task.is_cancelled = true;
    if (task.is(State::kReady)) tasks_.note(task, durable_.classes.of(seq));
  }
  durable_.notes = {};
  durable_.answers.take_for_new(moment.now);
  end_recovered_projects();
  durable_.projects.each(
      [&](const std::string& name, const Project&) { durable_.projects.mark_due(name); });
  each_limit(durable_.wishes, [&](const Scope& scope, const LimitWish& wish) {
    if (scope.of == Scope::Of::kKey) gates_.set_rate_of_key(scope.name, wish.rate, moment.now);
  });
  enter_recovered();
  durable_.wishes.each(Schedules::kWish, [&](const std::string& name, const Bytes& wish) {
    durable_.schedules.restore(name, wish);
  });
}

std::optional<PartRecord> Core::save(SavePlace& place) const {
  return save_next(place, [&](SavePlace& at, Bytes& out) {
    at.part == Part::kNotes ? tasks_.save_notes(at, out) : durable_.save(at, out);
  });
}

void Core::on_event(Event&& event, TimePoint now, Actions& out) {
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

void Core::on_deadline(TimePoint now, Actions& out) {
  judge_workers(now, out);
  end_projects(out);  // Before its last numbers are announced: a verdict beyond them is none.
  follower_.on_deadline(now, durable_.last, durable_.settled.count() == durable_.last, out);
  if (follower_.is_introduced()) push_verdicts(now, out);
  open_recovered(now, out);
  fire_schedules(out);
  open_gates();
  end_waits(now);
  dispatch(now, out);
  use_free_slots(now, out);
  forget_old_answers(now);
  invariant(
      tasks_.size() + durable_.settled.count() <= durable_.last || planted("sequence-number-twice"),
      "waiting, more than waiting and settled are what was accepted");
}

std::optional<TimePoint> Core::next_deadline() const {
  std::optional<TimePoint> next;
  const auto consider = [&](std::optional<TimePoint> when) {
    if (when) next = next ? std::min(*next, *when) : *when;
  };
  consider(follower_.next_deadline());
  if (follower_.is_introduced()) consider(verdicts_.next_deadline());
  if (!recovery_.is_noted_open) consider(recovery_.started + config_.grace_start);
  consider(fleet_.next_deadline());
  if (fleet_.size() > 1) consider(next_.recall);
  consider(last_attempts_.next_deadline());
  consider(timers_.next());
  consider(durable_.schedules.next_deadline(moment_));
  consider(gates_.next_deadline(moment_));
  if (queue_.held() > 0) consider(limits_.next_deadline());
  return next;
}

// A place that has a task twice counts once, for it skips the second; two places are one too many.
// But what has begun goes on, also where a gate that a restart made anew holds it still.
std::optional<std::uint64_t> Core::accounted() const {
  if (!queue_.is_recovered_open()) return std::nullopt;
  SeqRanges waiting;
  const auto add = [&](Seq first, std::uint64_t count) { waiting.add(first, first + count - 1); };
  queue_.each(add);
  last_attempts_.each(add);
  auto sum = durable_.settled.count() + tasks_.size() - tasks_.count(State::kReady);
  for (const auto& [first, last] : waiting.ranges())
    sum += last - first + 1 - durable_.settled.count_within(first, last);
  tasks_.for_each([&](Seq seq, const Task& task) {
    if (!task.is(State::kReady) && waiting.contains(seq)) --sum;
  });
  gates_.each_held([&](Seq seq) {
    const auto* task = tasks_.find(seq);
    const bool is_elsewhere =
        task != nullptr && (!task->is(State::kReady) || waiting.contains(seq));
    sum += is_elsewhere ? 0 : 1;
  });
  return sum;
}

Admission Core::admission() const {
  return {config_, durable_, gates_, limits_.quotas(), queued(), moment_};
}

Explain Core::explain() const {
  return {config_, durable_, tasks_, gates_, queue_, limits_, fleet_, moment_};
}

ProjectCounts Core::project_counts() const {
  return {durable_.classes, durable_.projects, tasks_, gates_, fleet_};
}

ProjectControls Core::project_controls() { return {durable_, gates_, moment_}; }

WishControls Core::wish_controls() { return {durable_.wishes, limits_, gates_, fleet_}; }

}  // namespace eole::ventilator
