#include <set>
#include <utility>

#include "common/base/planted.hpp"
#include "common/protocol/refusal.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/core.hpp"

// Submits and cancels.
namespace eole::ventilator {

using protocol::Settlement;
using protocol::Value;

namespace {

protocol::Answer answer(std::uint64_t request, Value value) {
  return {request, value.to_msgpack()};
}

// [[first, last], …]
Value list(const Settlement& settlement) {
  Value::Array ranges;
  for (const auto& [first, last] : settlement.ranges) ranges.push_back(Value::Array{first, last});
  return ranges;
}

}  // namespace

void Core::tell_limit(TimePoint& next, std::string code, std::string reason,
                      const protocol::TaskClass& task_class, TimePoint now, Actions& out) {
  if (!moment_.has_listeners || now < next) return;
  next = now + 1s;
  Value::Map more;
  more.emplace_back("reason", std::move(reason));
  tell(
      {{"reached", "limit", std::move(code), task_class.project, task_class.kind, std::move(more)}},
      out);
}

void Core::on(Submitted& event, TimePoint now, Actions& out) {
  auto& submit = event.submit;
  const auto refuse = [&](Error why) {
    out.push_back(Reply{event.peer, protocol::refused(submit.request, std::move(why))});
  };
  const auto admission = this->admission();
  std::optional<Error> conflict;
  if (const auto known = admission.find_answer(event, conflict)) {
    if (conflict) return refuse(std::move(*conflict));
    out.push_back(
        Reply{event.peer, protocol::Acceptance{submit.request, known->first, known->count}});
    return;
  }
  const bool is_over =
      submit.key.empty() && durable_.answers.is_confirmed(submit.run, submit.request);
  if (is_over && !planted("late-copy-taken-for-news")) return;  // Its client has had the answer.
  std::set<std::string> awaited;
  if (auto why = admission.why_refused(event, awaited)) return refuse(std::move(*why));
  if (auto why = admission.why_limited(event)) {
    tell_limit(next_.submit_limit, "submit", why->message, {}, now, out);
    return refuse(std::move(*why));
  }
  project_controls().watch(awaited, out);

  const auto first = durable_.last + 1;
  durable_.last += submit.count - (planted("sequence-number-twice") && submit.count > 1 ? 1 : 0);
  take(first, submit.payload, event.unix_ms);

  const Answered answered{first, submit.count};
  if (!submit.key.empty()) {
    durable_.answers.add({submit.key, event.hash, answered, now});
  } else {
    durable_.answers.add(submit.run, submit.request, submit.confirmed, answered, now);
  }
  out.push_back(Reply{event.peer, protocol::Acceptance{submit.request, first, submit.count}});
  tell_accepted(first, submit.payload, out);
  out.push_back(JournalTasks{first, std::move(event.hash), std::move(submit), event.unix_ms});
}

// One for tasks of one class together: who listens is not to hold up who submits.
void Core::tell_accepted(Seq first, std::string_view groups, Actions& out) const {
  if (!moment_.has_listeners) return;
  for (ByteReader reader(groups); const auto group = protocol::read_task_group(reader);) {
    const auto task_class = protocol::decode_class(group->task_class);
    tell({{"accepted", "task", {}, task_class->project, task_class->kind,
           {{"count", group->count}}},
          first},
         out);
    first += group->count;
  }
}

void Core::take(Seq first, std::string_view groups, std::int64_t unix_ms) {
  limits_.quotas().on_accepted(groups, moment_.now);
  auto next = first;
  for (ByteReader reader(groups); const auto group = protocol::read_task_group(reader);) {
    const auto id = durable_.classes.put(next, group->count, group->task_class,
                                         group->is_conditional, group->specs.size());
    if (group->is_conditional) {
      enter(next, id, group->specs, unix_ms);
    } else {
      queue_.extend(next, group->count, id, durable_.classes.at(id));
    }
    durable_.projects.add_accepted(durable_.classes.at(id).project, group->count);
    next += group->count;
  }
}

void Core::forget_old_answers(TimePoint now) {
  if (now < next_.prune) return;
  next_.prune = now + config_.request_retention / 24;
  durable_.answers.forget_before(now - config_.request_retention);
}

void Core::on(CancelAsked& event, TimePoint, Actions& out) {
  const auto is_outside = [&](Seq seq) {
    const auto* task_class = event.within.is_all() ? nullptr : class_of(seq);
    return task_class != nullptr && !event.within.has(task_class->project);
  };
  Settlement cancelling;
  Settlement settled;
  Settlement unknown;
  Settlement twice;  // Of those that are cancelled.
  for (const auto& [first, last] : event.ranges)
    for (auto seq = first; seq <= last; ++seq) {
      const bool is_settled = durable_.settled.contains(seq);
      const bool is_known_there = durable_.is_known({event.origin, seq}) && !is_outside(seq);
      (!is_known_there ? unknown : is_settled ? settled : cancelling).add({seq, seq});
      const auto* task = is_known_there && !is_settled ? tasks_.find(seq) : nullptr;
      if (task != nullptr && task->has_elder()) twice.add({seq, seq});
    }
  out.push_back(Reply{event.peer, answer(event.request, Value::Map{{"cancelling", list(cancelling)},
                                                                   {"settled", list(settled)},
                                                                   {"unknown", list(unknown)},
                                                                   {"twice", list(twice)}})});
  for (const auto& [first, last] : cancelling.ranges)
    for (auto seq = first; seq <= last; ++seq) cancel(seq, out);
}

void Core::cancel(Seq seq, Actions& out) {
  if (!durable_.cancelled.insert(seq).second) return;
  out.push_back(JournalCancel{seq});
  const bool is_fresh = tasks_.find(seq) == nullptr;
  auto& task = tasks_.at(seq);
  // An earlier start may have sent it: its worker has the rest of the grace to say so.
  if (is_fresh && queue_.is_recovered(seq) && !recovery_.is_noted_open)
    tasks_.note(task, durable_.classes.of(seq));
  task.is_cancelled = true;
  if (task.is(State::kReady) || task.is(State::kWaiting)) {
    end(seq, task, protocol::TaskState::kCancelled);
  } else if (task.is(State::kLeased)) {
    const auto order = [&](RunId run, const Lease& lease) {
      const auto* worker = fleet_.find(run);
      if (worker == nullptr) return;
      const TaskId id{durable_.origin, seq};
      out.push_back(SendOrders{
          worker->peer, worker->link, false, {{protocol::OrderKind::kCancel, id, lease}}});
    };
    order(task.run, task.lease);
    if (task.has_elder()) order(task.story->elder.run, task.story->elder.lease);
  }
}

}  // namespace eole::ventilator
