#include <algorithm>
#include <utility>

#include "ventilator/core/core.hpp"

// Sets of tasks that are tracked as one.
namespace eole::ventilator {

using protocol::Value;

namespace {

constexpr std::uint64_t kCancelledAtOnceMax = protocol::kTasksPerMessageMax;

}  // namespace

// What was not done is noted before the journal hears that it is settled: it is not told again. And
// of all of them before anybody hears that a project is over.
void Core::end_tasks(const std::vector<EndedTasks>& ended, Released& released, Actions& out) {
  for (const auto& tasks : ended) {
    const auto not_done = gates_.first_not_done(tasks.first, tasks.last);
    if (not_done != 0 && durable_.projects.add_not_done(tasks.project, not_done))
      out.push_back(JournalProject{durable_.projects.record(tasks.project)});
  }
  for (const auto& tasks : ended) {
    gates_.on_tasks_ended(tasks, released);
    if (durable_.classes.live_of(tasks.project) == 0) durable_.projects.mark_due(tasks.project);
  }
}

// Closed, and none of its tasks is unsettled: then its last task is accepted, by one record that
// says so.
void Core::end_projects(Actions& out) {
  for (const auto& name : durable_.projects.take_due()) {
    const auto* known = durable_.projects.find(name);
    if (known == nullptr) continue;
    if (!known->is_closed && known->expected != 0 && known->accepted >= known->expected) {
      auto closed = *known;
      closed.is_closed = true;
      project_controls().put(name, std::move(closed), out);
    }
    if (!known->is_closed || durable_.classes.live_of(name) > 0) continue;
    if (known->collected == 0) accept_last(name, *known, out);
    Released released;
    gates_.on_over(name, released);
    let_go(std::move(released));
  }
}

// One that says that it is over ends with that, in the log (rule V9).
void Core::accept_last(const std::string& name, Project project, Actions& out) {
  const auto seq = ++durable_.last;
  project.collected = seq;
  const bool is_named = !project.collect.empty();
  auto payload =
      is_named ? project.collect : over_of(name, {durable_.origin, project.first_not_done});
  durable_.projects.put(name, std::move(project));
  take(seq, payload, moment_.unix_ms);
  if (!is_named) end(seq, tasks_.at(seq), protocol::TaskState::kDone);
  protocol::Submit submit{0, 0, 0, collect_key(name), 1, std::move(payload)};
  out.push_back(JournalTasks{seq, "", std::move(submit), moment_.unix_ms});
}

// Those that an earlier start accepted. Costs a look at each stretch, once.
void Core::end_recovered_projects() {
  for (const auto& [first, stretch] : durable_.classes.stretches()) {
    if (!is_over_task(durable_.classes.at(stretch.id))) continue;
    for (auto seq = durable_.settled.first_missing(first); seq <= stretch.last;
         seq = durable_.settled.first_missing(seq + 1))
      if (auto& task = tasks_.at(seq); task.is(State::kReady))
        end(seq, task, protocol::TaskState::kDone);
  }
}

// Closes it, and cancels its tasks behind {"after": a number}, some at a time: says from where to
// go on.
Expected<Value> Core::control_cancel(const Value& options, Actions& out) {
  auto closed = project_controls().close(options, out);
  if (!closed) return closed;
  const auto name = options["project"].text_or("");
  auto seq = static_cast<Seq>(std::max<std::int64_t>(options["after"].int_or(0), 0));
  std::vector<Seq> seqs;
  const auto& stretches = durable_.classes.stretches();
  for (auto at = stretches.begin(); at != stretches.end(); ++at) {
    const auto& [first, stretch] = *at;
    if (stretch.last <= seq || durable_.classes.at(stretch.id).project != name) continue;
    for (seq = durable_.settled.first_missing(std::max(first, seq + 1));
         seq <= stretch.last && seqs.size() <= kCancelledAtOnceMax;
         seq = durable_.settled.first_missing(seq + 1))
      seqs.push_back(seq);
    seq = stretch.last;
    if (seqs.size() > kCancelledAtOnceMax) break;
  }
  Value next;
  if (seqs.size() > kCancelledAtOnceMax) {
    seqs.pop_back();
    next = seqs.back();
  }
  for (const auto each : seqs) cancel(each, out);
  closed->set("cancelling", static_cast<std::uint64_t>(seqs.size()));
  closed->set("next", std::move(next));
  return closed;
}

}  // namespace eole::ventilator
