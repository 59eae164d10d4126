#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/core.hpp"

// Sets of tasks that are tracked as one.
namespace eole::ventilator {

using protocol::Blob;
using protocol::Value;

namespace {

constexpr std::uint64_t kCancelledAtOnceMax = protocol::kTasksPerMessageMax;

Expected<std::string> name_of(const Value& options) {
  auto name = options["project"].text_or("");
  const auto most = protocol::kNameBytesMax - protocol::kCollectSuffix.size();
  if (name.empty()) return Error{"project: its name is missing"};
  if (name.size() > most) return Error{text("project of ", name.size(), " bytes, limit ", most)};
  return name;
}

}  // namespace

// Nothing if they may be in their project, and of their kind.
std::optional<Error> Core::why_project_refuses(const protocol::TaskGroup& group,
                                               const std::set<std::string>& awaited) const {
  const auto id = durable_.classes.find(group.task_class);
  std::optional<protocol::TaskClass> news;
  if (id == kNoClass) news = *protocol::decode_class(group.task_class);
  const auto& task_class = news ? *news : durable_.classes.at(id);
  const auto& name = task_class.project;
  if (task_class.kind == kOverKind) return over_is_reserved();
  if (const auto of = project_of_last(name)) {
    const auto* its = durable_.projects.find(*of);
    if (its == nullptr || its->collected == 0)
      return Error{text("project ", name, ": is for the last task of ", *of, ", which is not over"),
                   ErrorCode::kConflict};
  }
  if (awaited.contains(name))
    return Error{text("after project ", name, ": a task of it cannot wait for it")};
  const auto* project = durable_.projects.find(name);
  if (project == nullptr || !project->is_closed) return {};
  return Error{text("project ", name, ": closed, takes no more tasks until it is opened again"),
               ErrorCode::kConflict};
}

bool Core::may_forget(const std::string& name, const Project& project) const {
  if (durable_.classes.live_of(name) > 0 || gates_.waits_for(name)) return false;
  if (!project.is_opened) return true;
  return project.is_closed && durable_.settled.contains(project.collected);
}

std::optional<Error> Core::why_no_more_projects(std::uint64_t more) const {
  auto room = kProjectsMax - std::min(durable_.projects.size(), kProjectsMax);
  if (more <= room || planted("projects-without-a-bound")) return {};
  durable_.projects.each([&](const std::string& name, const Project& project) {
    if (may_forget(name, project)) ++room;
  });
  if (more <= room) return {};
  return Error{text(durable_.projects.size(), " projects are not over, limit ", kProjectsMax),
               ErrorCode::kFull};
}

// For one that is new there is room: who asks has looked.
void Core::put_project(const std::string& name, Project project, Actions& out) {
  auto& projects = durable_.projects;
  const bool is_new = projects.find(name) == nullptr;
  if (is_new && projects.size() >= kProjectsMax) {
    const auto oldest = projects.oldest(
        [&](const std::string& other, const Project& its) { return may_forget(other, its); });
    if (oldest) {
      projects.forget(*oldest);
      out.push_back(JournalProject{projects.record(*oldest)});
    }
  }
  if (is_new) {
    project.accepted += durable_.classes.live_of(name);
    tell({{"created", "project", name, name}}, out);
  }
  projects.put(name, std::move(project));
  projects.mark_due(name);
  out.push_back(JournalProject{projects.record(name)});
}

// A task will wait for them.
void Core::watch(const std::set<std::string>& awaited, Actions& out) {
  for (const auto& name : awaited)
    if (durable_.projects.find(name) == nullptr) put_project(name, {}, out);
}

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
      put_project(name, std::move(closed), out);
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
  auto payload = is_named ? project.collect
                          : over_of(name, {durable_.origin, project.first_not_done});
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

// ---- What people ask for.

// {"project": …, "expected": 100, "collect": a submit's payload, "is_again": true}
Expected<Value> Core::control_open(const Value& options, Actions& out) {
  const auto name = name_of(options);
  if (!name) return name.error();
  const auto* known = durable_.projects.find(*name);
  auto project = known == nullptr ? Project{} : *known;
  if (known == nullptr)
    if (auto why = why_no_more_projects(1)) return *why;
  const auto* again = options["is_again"].as<bool>();
  if (project.is_closed && (again == nullptr || !*again))
    return Error{text("project ", *name, ": was closed"), ErrorCode::kConflict};
  const auto expected = options["expected"].int_or(0);
  if (expected < 0) return Error{text("project ", *name, ": expected ", expected, ", at least 0")};
  if (const auto* blob = options["collect"].as<Blob>()) {
    auto collect = collect_of(*name, blob->bytes);
    if (!collect) return Error{text("project ", *name, ": ", collect.error().message)};
    project.collect = std::move(*collect);
  }
  if (project.is_closed) {
    project.collected = 0;
    project.first_not_done = 0;
  }
  if (!project.is_opened) project.opened_after = durable_.last;
  project.is_opened = true;
  project.is_closed = false;
  if (expected > 0) project.expected = static_cast<std::uint64_t>(expected);
  if (again != nullptr && *again) project.expected = 0;
  if (known == nullptr || project != *known) put_project(*name, std::move(project), out);
  return Value(Value::Map{{"project", *name}, {"state", "open"}});
}

Expected<Value> Core::control_close(const Value& options, Actions& out) {
  const auto name = name_of(options);
  if (!name) return name.error();
  const auto* known = durable_.projects.find(*name);
  if (known == nullptr)
    if (auto why = why_no_more_projects(1)) return *why;
  auto project = known == nullptr ? Project{} : *known;
  if (!project.is_opened) project.opened_after = durable_.last;
  project.is_opened = true;
  project.is_closed = true;
  if (known == nullptr || project != *known) put_project(*name, std::move(project), out);
  return Value(Value::Map{{"project", *name}, {"state", "closed"}});
}

// Closes it, and cancels its tasks behind {"after": a number}, some at a time: says from where to
// go on.
Expected<Value> Core::control_cancel(const Value& options, Actions& out) {
  auto closed = control_close(options, out);
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
