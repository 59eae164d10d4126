#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/causes.hpp"
#include "ventilator/core/core.hpp"

// What the sink's log settles, and what waits for it.
namespace eole::ventilator {

void Core::on(IntroducedReceived& event, TimePoint now, Actions& out) {
  if (event.start != durable_.start) return;  // An answer to the life before.
  if (event.settled.highest() > durable_.last && !planted("journal-may-go-back")) {
    out.push_back(Stop{text("the journal went back: its highest task is ", durable_.last,
                            ", the sink knows ", event.settled.highest())});
    return;
  }
  if (!follower_.on_introduced(event.log, event.offset)) return;
  Forget forget;
  for (const auto state : protocol::kNotDoneStates)
    for (const auto& [first, last] : event.not_done.of(state).ranges())
      gates_.add_not_done({{first, last}, state});
  for (const auto& [first, last] : event.settled.ranges()) {
    settle({first, last}, out);
    forget.ranges.push_back({first, last});
  }
  Released released;
  gates_.on_introduced(durable_.settled, released);
  let_go(std::move(released));
  if (!forget.ranges.empty()) out.push_back(std::move(forget));
  bury_lost(out);
  follower_.follow(now, out);
  verdicts_.push_again();
}

// What damage took from the journal, and the log does not know as settled, is dead.
void Core::bury_lost(Actions& out) {
  for (const auto& [first, last] : durable_.lost.ranges()) {
    for (auto seq = durable_.settled.first_missing(first); seq <= last;
         seq = durable_.settled.first_missing(seq + 1)) {
      auto& task = tasks_.at(seq);
      if (task.is(State::kEnding)) continue;
      task.add_reason("its task was lost: the journal was damaged, and salvaged");
      if (task.is(State::kLeased)) doubt_holders(task, out);
      release(task);
      end(seq, task, protocol::TaskState::kDead);
    }
  }
}

void Core::on(SettledReceived& event, TimePoint now, Actions& out) {
  const auto news = follower_.on_settled(event.settled);
  if (news.is_next) {
    Forget forget;
    if (queue_.is_shared())
      for (const auto& ran : event.settlement.ran) count_ran(ran);
    for (const auto& end : event.settlement.not_done) gates_.add_not_done(end);
    for (const auto& range : event.settlement.ranges) {
      if (range.last > durable_.last) continue;
      settle(range, out);
      forget.ranges.push_back(range);
    }
    if (!forget.ranges.empty()) out.push_back(std::move(forget));
    for (const auto& failure : event.settlement.failures) fail(failure, now, out);
  }
  for (const auto& suspicion : news.passed) judge_suspects(suspicion, now, out);
  follower_.follow(now, out);
}

void Core::on(SinkRefused& event, TimePoint, Actions& out) { out.push_back(Stop{event.reason}); }

void Core::settle(const Range& range, Actions& out) {
  if (queue_.is_shared()) count_settled(range);
  std::vector<ClassId> gone;
  std::vector<EndedTasks> ended;
  auto* wanted = durable_.projects.is_empty() ? nullptr : &ended;
  if (durable_.classes.settle(range.first, range.last, durable_.settled, gone, wanted) == 0) return;
  for (const auto id : gone) queue_.forget(id);
  Worker* holder = nullptr;  // Neighbours mostly share it.
  const auto end_one = [&](Seq seq, Task& task) {
    if (may_run_on(seq, task)) doubt_holders(task, out);
    if (task.has_elder()) end_elder(task);
    const bool is_given_up = task.is(State::kEnding) || task.is_cancelled;
    if (!stragglers_.is_empty())
      is_given_up ? stragglers_.on_given_up(seq, task.class_id)
                  : stragglers_.on_done(seq, task.class_id, moment_.now);
    if (task.is(State::kLeased)) {
      if (holder == nullptr || holder->link.run != task.run) holder = fleet_.find(task.run);
      if (holder != nullptr) holder->release(1), ++holder->ended;
    }
    if (task.is(State::kEnding)) verdicts_.settle(seq);
    tasks_.settle(seq);
  };
  if (range.last - range.first > tasks_.size()) {  // A restart may settle millions at once.
    std::vector<Seq> over;
    tasks_.for_each([&](Seq seq, Task&) {
      if (seq >= range.first && seq <= range.last) over.push_back(seq);
    });
    for (const auto seq : over) end_one(seq, *tasks_.find(seq));
  } else {
    for (auto seq = range.first; seq <= range.last; ++seq)
      if (auto* task = tasks_.find(seq)) end_one(seq, *task);
  }
  for (const auto id : gone) {
    tasks_.placement().forget(id);
    stragglers_.forget(id);
  }
  auto& cancelled = durable_.cancelled;
  cancelled.erase(cancelled.lower_bound(range.first), cancelled.upper_bound(range.last));
  Released released;
  gates_.on_ended(range.first, range.last, durable_.settled, released);
  end_tasks(ended, released, out);
  let_go(std::move(released));
}

// Of one lease alone the result is its holder's, and of what takes nothing it does not matter.
bool Core::may_run_on(Seq seq, const Task& task) const {
  if (task.has_elder()) return true;
  if (!task.is(State::kLeased) || (task.attempt < 2 && !queue_.is_recovered(seq))) return false;
  return tasks_.placement().counts(task.class_id) && !planted("settled-means-ended");
}

void Core::fail(const protocol::Settlement::Failure& failure, TimePoint now, Actions& out) {
  auto* task = tasks_.find(failure.seq);
  if (task == nullptr) return;
  if (task->has_elder() &&
      (task->lease == failure.lease || task->story->elder.lease == failure.lease)) {
    task->story->failed_copy = failure.lease;
    return end_copy(*task, failure.lease, "failed: " + failure.reason);
  }
  if (task->lease != failure.lease) return;
  if (!task->is(State::kLeased) && !task->is(State::kSuspect) && !task->is(State::kNoted)) return;
  if (planted("failure-not-retried")) return;
  if (auto* worker = task->is(State::kLeased) ? fleet_.find(task->run) : nullptr) ++worker->ended;
  release(*task);
  task->told().failed = std::max(task->told().failed, failure.lease);
  const AttemptEnd end_of{.cause = Cause::kFailed,
                          .failure = failure.cause.empty() ? protocol::kCauseError : failure.cause,
                          .retry_after_ms = failure.retry_after_ms};
  give_back(failure.seq, *task, end_of, "failed: " + failure.reason, now, out);
}

void Core::judge_suspects(const Suspicion& suspicion, TimePoint now, Actions& out) {
  for (const auto& [seq, lease] : suspicion.leases) {
    auto* task = tasks_.find(seq);
    if (task == nullptr) continue;
    if (is_lost_copy(*task, lease)) lose_copy(seq, *task, lease, suspicion.reason, out);
    if (task->lease != lease || !task->is(State::kSuspect)) continue;
    // Whoever lives was not killed by it.
    if (fleet_.find(task->run) == nullptr) task->told().is_feared = true;
    give_back(seq, *task, {.cause = Cause::kLost}, suspicion.reason, now, out);
  }
}

void Core::open_recovered(TimePoint now, Actions& out) {
  const bool is_grace_over = now >= recovery_.started + config_.grace_start;
  if (follower_.is_caught_up() && (is_grace_over || !durable_.is_power_cut))
    queue_.open_recovered(durable_.classes);
  if (recovery_.is_noted_open || !is_grace_over) return;
  recovery_.is_noted_open = true;
  Suspicion noted{{}, "no worker had it after a restart"};
  tasks_.for_each([&](Seq seq, Task& task) {
    if (!task.is(State::kNoted)) return;
    tasks_.suspect(task);
    task.is_unconfirmed = task.attempt > 0;
    noted.leases.emplace_back(seq, task.lease);
  });
  follower_.suspect(std::move(noted));
  follower_.follow(now, out);
}

// The new ones at once; those that are not read in the log yet, every now and then.
void Core::push_verdicts(TimePoint now, Actions& out) {
  for (const auto seq : verdicts_.take_due(now)) {
    const auto& task = *tasks_.find(seq);
    out.push_back(PushVerdict{seq, task.lease, task.attempt, task.verdict, task.is_unconfirmed,
                              task.story ? task.story->reasons : std::vector<std::string>{},
                              task.story ? task.story->why_ended : Why{}});
  }
}

}  // namespace eole::ventilator
