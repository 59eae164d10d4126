#include "ventilator/core/gates/gates.hpp"

#include <algorithm>

#include "common/base/counted.hpp"
#include "common/base/expected.hpp"
#include "common/base/text.hpp"
#include "common/base/within.hpp"

namespace eole::ventilator {

namespace {

// Nothing if each parent is a task that came before.
std::optional<Error> why_no_parents(std::string_view encoded, Seq seq, Seq submit, Origin origin,
                                    std::uint64_t& sum, std::set<std::string>& awaited) {
  protocol::ParentReader parents(encoded);
  while (const auto parent = parents.next()) {
    if (!parent->project.empty()) {
      awaited.insert(parent->project);
      continue;
    }
    sum += parent->count;
    if (parent->back != 0) {
      if (parent->back > seq - submit)
        return Error{text("after: ", counted(parent->back, "task"), " back is before its submit")};
      continue;
    }
    const TaskId last{parent->id.origin, parent->id.seq + parent->count - 1};
    if (last.origin != origin)
      return Error{text("after ", to_text(last), ": not a task of this ventilator")};
    if (std::max(parent->id.seq, last.seq) >= submit)
      return Error{text("after ", to_text(last), ": no such task was accepted")};
  }
  return {};
}

bool may_run_twice(const protocol::TaskGroup& group) {
  const auto task_class = protocol::decode_class(group.task_class);
  return task_class && task_class->speculate != 0;
}

}  // namespace

protocol::Conditions conditions_of(std::string_view encoded, const protocol::TaskClass& of) {
  auto conditions = protocol::decode_conditions(encoded);
  invariant(static_cast<bool>(conditions), "conditions that are taken make sense");
  if (!of.within.empty()) conditions->key = Within(of.within).own(conditions->key);
  return std::move(*conditions);
}

std::optional<Error> Gates::why_refused(const protocol::TaskGroup& group, Seq first, Seq submit,
                                        Origin origin, std::set<std::string>& awaited) const {
  std::uint64_t sum = joins_.edges();
  std::optional<bool> runs_twice;  // Asked for only where there is a key.
  ByteReader specs(group.specs);
  std::string_view read;  // Neighbours mostly wait for the same.
  auto conditions = Expected<protocol::Conditions>(protocol::Conditions{});
  for (auto seq = first; !specs.is_done(); ++seq) {
    const auto spec = protocol::read_task_spec(specs);
    if (spec->conditions != read) conditions = protocol::decode_conditions(spec->conditions);
    read = spec->conditions;
    auto why = conditions ? why_no_parents(conditions->parents, seq, submit, origin, sum, awaited)
                          : conditions.error();
    if (conditions && !conditions->key.empty()) {
      if (!runs_twice) runs_twice = may_run_twice(group);
      if (*runs_twice)
        why = Error{"speculate: goes without a key, of which one task runs at a time"};
    }
    if (sum > kJoinEdgesMax)
      why = Error{text("tasks wait for ", sum, " others in all, limit ", kJoinEdgesMax),
                  ErrorCode::kFull};
    if (why)
      return Error{text("task ", seq - submit + 1, " of the submit: ", why->message), why->code};
  }
  return {};
}

void Gates::enter(Seq seq, std::int64_t accepted_unix_ms, const protocol::Conditions& conditions,
                  protocol::OnParentFailure on_failure, const Moment& moment,
                  const SeqRanges& settled, Released& out) {
  const Arrival arrival{seq, accepted_unix_ms, conditions, on_failure};
  std::uint8_t holds = 0;
  const Ends ends{settled, not_done_, is_introduced_};
  Released found;
  for (auto* gate : gates_)
    if (gate->enter(arrival, moment, ends, found)) ++holds;
  release(found, out);  // Others whose wait is over, too: this one is not held yet.
  if (holds == 0) return out.seqs.push_back(seq);
  holds_[seq] = holds;
}

bool Gates::hold_again(Seq seq, TimePoint now) {
  if (!keys_.hold_again(seq, now)) return false;
  holds_[seq] = 1;
  return true;
}

Gates::Behind Gates::behind(Seq seq, std::string_view project) const {
  Behind found;
  std::vector<Seq> open;
  std::size_t looks = kBehindMax;
  const auto add_waiters = [&](Seq of, std::string_view its_project, Seq told) {
    std::vector<Seq> waiters;
    for (const auto* gate : gates_) gate->waiters_of(of, its_project, looks, waiters);
    looks -= waiters.size();
    for (const auto waiter : waiters)
      if (found.emplace(waiter, told).second) open.push_back(waiter);
  };
  add_waiters(seq, project, 0);
  for (std::size_t i = 0; i < open.size() && looks > 0; ++i) {
    const auto id = classes_.of(open[i]);
    if (id != kNoClass && open[i] != seq) add_waiters(open[i], classes_.at(id).project, open[i]);
  }
  return found;
}

void Gates::release(Released& found, Released& out) {
  for (const auto seq : found.seqs) {
    auto* holds = holds_.find(seq);
    if (holds == nullptr || --*holds > 0) continue;
    holds_.erase(seq);
    out.seqs.push_back(seq);
  }
  out.ended.insert(out.ended.end(), found.ended.begin(), found.ended.end());
}

void Gates::on_ended(Seq first, Seq last, const SeqRanges& settled, Released& out) {
  Released found;
  for (auto* gate : gates_)
    gate->on_ended(first, last, {settled, not_done_, is_introduced_}, found);
  for (auto seq = first; holds_.next(seq, last) != nullptr; ++seq) holds_.erase(seq);
  release(found, out);
}

void Gates::on_tasks_ended(const EndedTasks& ended, Released& out) {
  Released found;
  project_waits_.on_tasks_ended(ended, found);
  release(found, out);
}

void Gates::on_over(std::string_view project, Released& out) {
  Released found;
  project_waits_.on_over(project, found);
  release(found, out);
}

// Of those from first to last.
std::uint64_t Gates::size(Seq first, Seq last) const {
  std::uint64_t sum = 0;
  for (; holds_.next(first, last) != nullptr; ++first) ++sum;
  return sum;
}

void Gates::on_introduced(const SeqRanges& settled, Released& out) {
  is_introduced_ = true;
  Released found;
  for (auto* gate : gates_) gate->on_introduced({settled, not_done_, true}, found);
  release(found, out);
}

void Gates::on_deadline(const Moment& moment, Released& out) {
  Released found;
  for (auto* gate : gates_) gate->on_deadline(moment, found);
  release(found, out);
}

std::optional<TimePoint> Gates::next_deadline(const Moment& moment) const {
  std::optional<TimePoint> next;
  for (const auto* gate : gates_)
    if (const auto due = gate->next_deadline(moment)) next = next ? std::min(*next, *due) : due;
  return next;
}

std::vector<Why> Gates::why(Seq seq, const Moment& moment) const {
  std::vector<Why> all;
  for (const auto* gate : gates_)
    if (auto why = gate->why(seq, moment)) all.push_back(std::move(*why));
  return all;
}

}  // namespace eole::ventilator
