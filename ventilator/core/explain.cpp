#include "ventilator/core/explain.hpp"

#include <algorithm>
#include <tuple>

#include "common/base/counted.hpp"
#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/retries.hpp"

namespace eole::ventilator {

namespace {

constexpr std::size_t kStretchesCounted = 65536;  // Of a queue, for one answer.
constexpr std::size_t kTasksNamed = 16;           // That one task waits for, in one answer.

// Those of its parents that have not ended, the first few of them.
void name_parents(Why& why, Seq seq, std::string_view encoded, Origin origin,
                  const SeqRanges& settled) {
  const auto conditions = protocol::decode_conditions(encoded);
  const auto parents = conditions ? protocol::decode_parents(conditions->parents)
                                  : Expected<std::vector<protocol::Parent>>(conditions.error());
  if (!parents) return;
  for (const auto& parent : *parents) {
    if (!parent.project.empty()) {
      why.text += text(why.tasks.empty() ? ": " : ", ", "all of the project ", parent.project);
      continue;
    }
    const auto first = parent.back != 0 ? seq - parent.back : parent.id.seq;
    for (auto at = settled.first_missing(first); at < first + parent.count;
         at = settled.first_missing(at + 1)) {
      if (why.tasks.size() == kTasksNamed) return void(why.text += ", …");
      why.text += text(why.tasks.empty() ? ": " : ", ", to_text(TaskId{origin, at}));
      why.tasks.push_back(at);
    }
  }
}

}  // namespace

std::optional<TaskView> Explain::task(Seq seq) const {
  if (seq < 1 || seq > durable_.last || durable_.settled.contains(seq)) return std::nullopt;
  TaskView view;
  view.state = gates_.holds(seq) ? "waiting" : "queued";
  const auto* task = tasks_.find(seq);
  if (task == nullptr) return view;
  view.attempt = task->attempt;
  if (task->story) view.reasons = task->story->reasons;
  if (task->is(State::kLeased) || task->is(State::kSuspect)) {
    view.state = "running";
    view.lease = task->lease;
    if (const auto* worker = fleet_.find(task->run)) {
      view.worker = worker->about.name;
      view.pid = worker->about.pid;
    }
  }
  if (task->is(State::kWaiting)) {
    view.state = "waiting";
    if (!gates_.holds(seq)) view.waits_until = task->story->waits_until;
  }
  if (task->is(State::kEnding)) view.state = "ending";
  if (task->is_cancelled) view.state = "cancelling";
  return view;
}

std::vector<Why> Explain::why(Seq seq, std::string_view conditions, const Within& within) const {
  if (seq < 1 || seq > durable_.last || durable_.settled.contains(seq)) return {};
  const auto* task = tasks_.find(seq);
  const auto state = task == nullptr ? State::kReady : task->state();
  switch (state) {
    case State::kLeased:
      return {why_leased(seq, *task)};
    case State::kSuspect:
      return {why_suspect(*task)};
    case State::kWaiting:
      if (!gates_.holds(seq)) return {why_paused(*task)};
      break;
    case State::kNoted:
      return {
          {"recovering", "the ventilator has started anew: the worker that had it may come back"}};
    case State::kEnding:
      return {{"ending", text("it is over, ", to_text(task->verdict),
                              ", which the sink's log does not have yet")}};
    case State::kReady:
      break;
  }
  auto all = gates_.why(seq, moment_);
  for (auto& why : all)
    if (why.code == "parents")
      name_parents(why, seq, conditions, durable_.origin, durable_.settled);
  if (!all.empty())
    if (auto circle = why_for_ever(seq)) all.insert(all.begin(), std::move(*circle));
  auto others = why_not_served(seq, task, within);
  // Its place in the queue is of no interest before it stands there.
  if (!all.empty()) std::erase_if(others, [](const Why& why) { return why.code == "queued"; });
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

// Its waits lead back to it.
std::optional<Why> Explain::why_for_ever(Seq seq) const {
  const auto id = durable_.classes.of(seq);
  if (id == kNoClass) return std::nullopt;
  const auto behind = gates_.behind(seq, durable_.classes.at(id).project);
  auto at = behind.find(seq);
  if (at == behind.end()) return std::nullopt;
  Why why{"circle", "it waits for itself, and so for ever"};
  for (; at != behind.end() && at->second != 0; at = behind.find(at->second)) {
    if (why.tasks.size() == kTasksNamed) break;
    why.text += text(why.tasks.empty() ? ": it waits for " : ", that for ",
                     to_text(TaskId{durable_.origin, at->second}));
    why.tasks.push_back(at->second);
  }
  why.text += why.tasks.size() == kTasksNamed ? ", …; cancel one of them"
                                              : ", and that for it; cancel one of them";
  return why;
}

std::vector<Why> Explain::why_not_served(Seq seq, const Task* task, const Within& within) const {
  const auto id = durable_.classes.of(seq);
  if (id == kNoClass) return {{"lost", "its task was lost when the journal was damaged"}};
  if (queue_.is_recovered(seq) && !queue_.is_recovered_open())
    return {{"recovering",
             "the ventilator has started anew, and has not heard yet which tasks were settled"}};
  const auto& task_class = durable_.classes.at(id);
  if (auto why = fleet_.why_nobody(task_class, tasks_.placement(), within))
    return {std::move(*why)};
  if (auto why = limits_.why(task_class)) return {std::move(*why)};
  if (task != nullptr && task->is_feared() &&
      task->attempt + 1u >= attempts_of(task_class, config_.attempts_max))
    return {{"alone",
             "its worker was lost: its last attempt runs where nothing else does, and no worker is "
             "empty yet"}};
  return {why_queued(seq, id)};
}

Why Explain::why_queued(Seq seq, ClassId id) const {
  const auto& task_class = durable_.classes.at(id);
  std::size_t offering = 0;
  std::size_t free = 0;
  std::size_t paused = 0;
  std::size_t used_up = 0;
  std::size_t kept = 0;
  const auto& needs = tasks_.placement().of(task_class).needs;
  for (const auto run : fleet_.order()) {
    const auto& worker = *fleet_.find(run);
    if (!Fleet::fits(worker, task_class, tasks_.placement())) continue;
    ++offering;
    paused += worker.is_paused ? 1 : 0;
    free += worker.has_free_slot() && !worker.is_paused ? 1 : 0;
    used_up += Fleet::room_at(worker, task_class, tasks_.placement()) == 0 ? 1 : 0;
    kept += tasks_.placement().is_kept(run, needs) ? 1 : 0;
  }
  const auto what = task_class.needs.empty() ? task_class.kind
                                             : text(task_class.kind, " and has ", task_class.needs);
  if (offering > 0 && paused == offering)
    return {"paused", text("every worker that offers ", what, " is paused")};
  if (used_up == offering)
    return {"resources",
            text("it needs ", task_class.needs, ", of which ", counted(offering, "worker"),
                 offering == 1 ? " has" : " have", " enough, and other tasks use it now",
                 kept == 0 ? "" : ", or it is kept for one that has waited longer")};
  const auto before = queue_.before(seq, id, kStretchesCounted);
  return {"queued", text(before == 0 ? "it is the next one" : "it is behind ",
                         before == 0 ? "" : counted(before, "task"), "; of ",
                         counted(offering, "worker"), " that offer", offering == 1 ? "s " : " ",
                         task_class.kind, task_class.needs.empty() ? "" : " with ",
                         task_class.needs, ", ", free == 0 ? std::string("none") : text(free),
                         free == 1 ? " has" : " have", " a free slot")};
}

// Where it is, since when, and why there.
Why Explain::why_leased(Seq seq, const Task& task) const {
  const auto* worker = fleet_.find(task.run);
  const auto name = worker == nullptr ? std::string("a worker") : worker->about.name;
  const auto since = task.since == TimePoint{}
                         ? std::string(", since before the ventilator's last start")
                         : text(" since ", show_time(moment_.unix_ms_at(task.since)));
  if (task.is_cancelled)
    return {"cancelling", text("it was told to end, on ", name, ", where it is", since)};
  const auto& waiting = worker == nullptr ? std::vector<Seq>() : worker->waiting;
  const bool is_stored = std::find(waiting.begin(), waiting.end(), seq) != waiting.end();
  auto out = text(is_stored ? "it waits for a slot of " : "it is on ", name, since, ", attempt ",
                  task.attempt);
  const auto* task_class = durable_.classes.class_of(seq);
  if (task_class != nullptr)
    out += text(" of at most ", attempts_of(*task_class, config_.attempts_max));
  if (worker != nullptr && worker->alone == seq) {
    out += ": alone there, for a worker was lost that had it";
  } else if (task_class != nullptr) {
    const auto& [needs, place] = std::tie(task_class->needs, task_class->place);
    out += text(": ", name, " offers ", task_class->kind, needs.empty() ? "" : " with ", needs,
                " and had room", place.empty() ? "" : ", as wished: ", place);
  }
  if (task.has_elder())
    if (const auto* other = fleet_.find(task.story->elder.run))
      out += text("; it is a second copy, for it takes long on ", other->about.name,
                  ": whichever ends first counts");
  return {is_stored ? "stored" : "running", std::move(out)};
}

Why Explain::why_suspect(const Task& task) const {
  const auto* worker = fleet_.find(task.run);
  return {"suspect",
          text(worker == nullptr ? std::string("the worker that had it") : worker->about.name,
               " may have lost it: the sink's log is asked whether it had ended")};
}

Why Explain::why_paused(const Task& task) const {
  const auto until = moment_.unix_ms_at(task.story->waits_until);
  const auto last = task.story->reasons.empty() ? "" : text(", after ", task.story->reasons.back());
  return {"backoff", text("its next attempt is at ", show_time(until), last), until};
}

}  // namespace eole::ventilator
