#include "ventilator/core/project_controls.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

using protocol::Blob;
using protocol::Value;

namespace {

Expected<std::string> name_of(const Value& options) {
  auto name = options["project"].text_or("");
  const auto most = protocol::kNameBytesMax - protocol::kCollectSuffix.size();
  if (name.empty()) return Error{"project: its name is missing"};
  if (name.size() > most) return Error{text("project of ", name.size(), " bytes, limit ", most)};
  return name;
}

}  // namespace

std::optional<Error> ProjectAdmission::why_refused(const protocol::TaskGroup& group,
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

bool ProjectAdmission::may_forget(const std::string& name, const Project& project) const {
  if (durable_.classes.live_of(name) > 0 || gates_.waits_for(name)) return false;
  if (!project.is_opened) return true;
  return project.is_closed && durable_.settled.contains(project.collected);
}

std::optional<Error> ProjectAdmission::why_no_more(std::uint64_t more) const {
  auto room = kProjectsMax - std::min(durable_.projects.size(), kProjectsMax);
  if (more <= room || planted("projects-without-a-bound")) return {};
  durable_.projects.each([&](const std::string& name, const Project& project) {
    if (may_forget(name, project)) ++room;
  });
  if (more <= room) return {};
  return Error{text(durable_.projects.size(), " projects are not over, limit ", kProjectsMax),
               ErrorCode::kFull};
}

void ProjectControls::put(const std::string& name, Project project, Actions& out) {
  auto& projects = durable_.projects;
  const bool is_new = projects.find(name) == nullptr;
  if (is_new && projects.size() >= kProjectsMax) {
    const auto oldest = projects.oldest([&](const std::string& other, const Project& its) {
      return admission_.may_forget(other, its);
    });
    if (oldest) {
      projects.forget(*oldest);
      out.push_back(JournalProject{projects.record(*oldest)});
    }
  }
  if (is_new) {
    project.accepted += durable_.classes.live_of(name);
    if (moment_.has_listeners) out.push_back(TellNews{{"created", "project", name, name}});
  }
  projects.put(name, std::move(project));
  projects.mark_due(name);
  out.push_back(JournalProject{projects.record(name)});
}

void ProjectControls::watch(const std::set<std::string>& awaited, Actions& out) {
  for (const auto& name : awaited)
    if (durable_.projects.find(name) == nullptr) put(name, {}, out);
}

Expected<Value> ProjectControls::open(const Value& options, Actions& out) {
  const auto name = name_of(options);
  if (!name) return name.error();
  const auto* known = durable_.projects.find(*name);
  auto project = known == nullptr ? Project{} : *known;
  if (known == nullptr)
    if (auto why = admission_.why_no_more(1)) return *why;
  const bool is_retry = options["is_retry"] == Value(true);
  const bool is_again = options["is_again"] == Value(true) || is_retry;
  if (project.is_closed && !is_again)
    return Error{text("project ", *name, ": was closed"), ErrorCode::kConflict};
  const bool is_over = project.is_closed && durable_.classes.live_of(*name) == 0;
  if (is_retry && !project.is_retried && !is_over)
    return Error{text("project ", *name, ": is not over, what runs is not missing"),
                 ErrorCode::kConflict};
  const auto& said = options["expected"];
  const auto expected = said.is_null() ? 0 : said.int_or(-1);
  if (expected < 0 || expected > protocol::kExpectedMax)
    return Error{text("project ", *name, ": expected: a number of tasks, limit ",
                      protocol::kExpectedMax)};
  if (const auto* blob = options["collect"].as<Blob>()) {
    auto collect = collect_of(*name, blob->bytes);
    if (!collect) return Error{text("project ", *name, ": ", collect.error().message)};
    project.collect = std::move(*collect);
  }
  if (project.is_closed) {
    project.collected = 0;
    project.first_not_done = 0;
  }
  const bool is_begun = project.is_retried;  // That retry did not come to its end.
  if (!project.is_opened || (is_retry && !is_begun)) project.opened_after = durable_.last;
  project.is_opened = true;
  project.is_closed = false;
  project.is_retried = is_begun || is_retry;
  if (is_again || expected > 0) project.expected = static_cast<std::uint64_t>(expected);
  Value answer = Value::Map{{"project", *name}, {"state", "open"}};
  if (is_retry) answer.set("retried_after", to_text(TaskId{durable_.origin, project.opened_after}));
  if (known == nullptr || project != *known) put(*name, std::move(project), out);
  return answer;
}

Expected<Value> ProjectControls::close(const Value& options, Actions& out) {
  const auto name = name_of(options);
  if (!name) return name.error();
  const auto* known = durable_.projects.find(*name);
  if (known == nullptr)
    if (auto why = admission_.why_no_more(1)) return *why;
  auto project = known == nullptr ? Project{} : *known;
  if (!project.is_opened) project.opened_after = durable_.last;
  project.is_opened = true;
  project.is_closed = true;
  project.is_retried = false;
  if (known == nullptr || project != *known) put(*name, std::move(project), out);
  return Value(Value::Map{{"project", *name}, {"state", "closed"}});
}

}  // namespace eole::ventilator
