#include "ventilator/io/queries.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/base/commas.hpp"
#include "common/base/owned_name.hpp"
#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "common/process/usage.hpp"
#include "common/protocol/query_options.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/trace.hpp"

namespace eole::ventilator {

using protocol::Value;

namespace {

constexpr std::int64_t kPageTasksMax = 1000;

Value list(const std::vector<std::string>& texts) {
  return Value::Array(texts.begin(), texts.end());
}

// Of who is within: its projects', and those that it is held to itself.
bool is_of(const Within& within, const std::string& about) {
  const auto scope = parse_scope(about);
  if (within.is_all() || !scope) return within.is_all();
  if (scope->of == Scope::Of::kTenant)
    return within.has(scope->name) || within.prefix().starts_with(scope->name);
  return scope->of == Scope::Of::kProject && within.has(scope->name);
}

Value limits(const Core& core, const Within& within) {
  Value::Array list;
  core.wishes().each("limit", [&](const std::string& about, std::string_view value) {
    auto limit = Value::from_msgpack(value);
    if (!limit || !is_of(within, about)) return;
    limit->set("scope", about);
    list.push_back(std::move(*limit));
  });
  return list;
}

Value status(const Core& core, const Journal& journal) {
  const auto used = process::usage();
  return Value::Map{{"role", "ventilator"},
                    {"pid", static_cast<std::int64_t>(::getpid())},
                    {"origin", origin_text(core.origin())},
                    {"start", core.start()},
                    {"accepted", core.accepted()},
                    {"queued", core.queued()},
                    {"waiting", core.held()},
                    {"running", core.running()},
                    {"settled", core.settled().count()},
                    {"workers_left", static_cast<std::int64_t>(core.workers_left(process::now()))},
                    {"paused", list(core.limits().pauses().list())},
                    {"introduced", core.is_introduced()},
                    {"journal_bytes", journal.disk_bytes()},
                    {"journal_syncs", journal.syncs()},
                    {"disk_free_bytes", journal.free_bytes()},
                    {"version", process::kRelease},
                    {"up_seconds", used.up_seconds},
                    {"restarts", process::restarts()},
                    {"cpu_seconds", used.cpu_seconds},
                    {"memory_bytes", used.memory_bytes}};
}

Value status_within(const Core& core, const Within& within) {
  auto paused = core.limits().pauses().list();
  std::erase_if(paused, [&](const std::string& about) { return !is_of(within, about); });
  const auto sum = core.project_counts().sum(within);
  return Value::Map{{"role", "ventilator"},
                    {"origin", origin_text(core.origin())},
                    {"start", core.start()},
                    {"within", within.prefix()},
                    {"queued", sum.waiting + sum.queued},
                    {"waiting", sum.waiting},
                    {"running", sum.running},
                    {"paused", list(paused)},
                    {"introduced", core.is_introduced()}};
}

// What is used of some bounds, by their names.
Value bounds(const Core& core) {
  return Value::Map{{"queued_max", core.queued()},
                    {"answer_bytes_max", core.answers().bytes()},
                    {"workers_max", static_cast<std::int64_t>(core.workers().size())},
                    {"kVerdictsPushedMax", static_cast<std::int64_t>(core.verdicts_pushed())}};
}

// Of each resource how much there is, and is free.
Value resources(const WorkerView& worker) {
  Value::Map all;
  for (const auto& each : worker.resources)
    all.emplace_back(each.name, Value::Map{{"all", static_cast<double>(each.all) / 1000},
                                           {"free", static_cast<double>(each.free) / 1000}});
  return all;
}

Value labels(const WorkerView& worker) {
  Value::Map all;
  for (const auto& [name, value] : worker.labels) all.emplace_back(name, value);
  return all;
}

// Those of its runners that cannot start.
Value broken(const WorkerView& worker) {
  Value::Array list;
  for (const auto& each : worker.broken)
    list.push_back(Value::Map{{"runner", each.runner}, {"problem", each.problem}});
  return list;
}

Value workers(const Core& core) {
  const auto now = process::now();
  Value::Array list;
  for (const auto& worker : core.workers())
    list.push_back(Value::Map{{"role", "worker"},
                              {"name", worker.name},
                              {"pid", worker.pid},
                              {"state", worker.state},
                              {"slots", worker.slots},
                              {"held", worker.held},
                              {"silent_ms", (now - worker.heard) / 1ms},
                              {"host", worker.program.host},
                              {"version", worker.program.version},
                              {"prefetch", worker.program.prefetch},
                              {"restarts", worker.program.restarts},
                              {"ended", worker.ended},
                              {"paused", worker.is_paused},
                              {"kinds", worker.kinds},
                              {"labels", labels(worker)},
                              {"resources", resources(worker)},
                              {"broken", broken(worker)}});
  return list;
}

// What is theirs alone is what they hold.
Value workers_within(const Core& core, const Within& within) {
  auto held = core.project_counts().held_by_workers(within);
  Value::Array list;
  for (const auto& worker : core.workers())
    list.push_back(Value::Map{{"role", "worker"},
                              {"name", worker.name},
                              {"state", worker.state},
                              {"slots", worker.slots},
                              {"held", held[worker.name]},
                              {"paused", worker.is_paused},
                              {"kinds", worker.kinds},
                              {"labels", labels(worker)}});
  return list;
}

// The kinds that connected workers offer: those of runners with what they take.
Value kinds(const Core& core) {
  Value::Array list;
  for (const auto& [name, kind] : core.kinds()) list.push_back(protocol::view_of(kind));
  return list;
}

// Until when it waits, as Unix time in milliseconds.
void set_wait(Value& view, const TaskView& task) {
  if (!task.waits_until) return;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(*task.waits_until - process::now());
  view.set("waits_until", process::unix_ms() + left.count());
}

Value view_of(const TaskId& id, const TaskView& task, const protocol::TaskClass& task_class,
              std::int64_t submitted) {
  Value view =
      Value::Map{{"id", to_text(id)},   {"kind", task_class.kind}, {"project", task_class.project},
                 {"state", task.state}, {"attempt", task.attempt}, {"submitted", submitted}};
  if (!task.worker.empty()) view.set("worker", task.worker);
  set_wait(view, task);
  return view;
}

// Its arguments in a line, if they are short.
std::string summary_of(const Specs& specs) {
  ByteReader reader(specs.bytes);
  const auto spec = protocol::read_task_spec(reader);
  if (!spec || spec->args.size() > protocol::kArgsToldMax) return {};
  return protocol::in_a_line(protocol::shown_args(spec->args));
}

// A page of the tasks that are not settled, from `after` on.
Expected<Value> tasks(const Value& options, const Core& core, Journal& journal,
                      const Within& within, Duration page_time) {
  const auto project = options["project"].text_or("");
  const auto kind = options["kind"].text_or("");
  const auto state = options["state"].text_or("");
  const auto worker = options["worker"].text_or("");
  const auto most = options["most"].int_or(kPageTasksMax);
  if (most < 1 || most > kPageTasksMax)
    return Error{text("tasks: most ", most, ", limits 1 and ", kPageTasksMax)};
  const auto states = between_commas(state);
  const auto is_asked = [&](std::string_view one) { return std::ranges::count(states, one) > 0; };
  constexpr std::array<std::string_view, 4> kStates{"queued", "waiting", "running", "cancelling"};
  const auto is_known = [&](auto one) { return std::ranges::count(kStates, one) > 0; };
  if (!state.empty() && !std::ranges::all_of(states, is_known))
    return Error{text("tasks: state ", state, ": is queued, waiting, running or cancelling")};
  // What merely waits for its first dispatch has no worker.
  const bool is_dispatched =
      !worker.empty() || (!state.empty() && !is_asked("queued") && !is_asked("waiting"));
  const auto last =
      is_dispatched ? std::min(core.dispatched_to(), core.accepted()) : core.accepted();
  const auto until = process::now() + page_time;
  Value::Array list;
  auto seq = static_cast<Seq>(std::max<std::int64_t>(options["after"].int_or(0), 0));
  bool is_whole = false;
  do {
    seq = core.settled().first_missing(seq + 1);
    is_whole = seq > last;
    if (is_whole) break;
    const auto* task_class = core.class_of(seq);
    if (task_class == nullptr || (!project.empty() && task_class->project != project)) continue;
    if (!within.has(task_class->project)) continue;
    if (!kind.empty() && task_class->kind != kind) continue;
    const auto task = core.explain().task(seq);
    if (!task || (!state.empty() && !is_asked(task->state))) continue;
    if (!worker.empty() && task->worker != worker) continue;
    const auto specs = journal.specs(seq, 1);
    if (specs.count == 0) continue;
    auto view = view_of({core.origin(), seq}, *task, *task_class, specs.submitted_unix_ms);
    if (auto line = summary_of(specs); !line.empty()) view.set("summary", std::move(line));
    list.push_back(std::move(view));
  } while (static_cast<std::int64_t>(list.size()) < most && process::now() < until);
  return Value(Value::Map{{"tasks", std::move(list)}, {"next", is_whole ? Value() : Value(seq)}});
}

Value view_of(const Why& why, Origin origin) {
  Value view = Value::Map{{"code", why.code}, {"text", why.text}};
  if (why.until_unix_ms != 0) view.set("until", why.until_unix_ms);
  Value::Array tasks;
  for (const auto seq : why.tasks) tasks.emplace_back(to_text(TaskId{origin, seq}));
  if (!tasks.empty()) view.set("tasks", std::move(tasks));
  return view;
}

// What is not settled of a project, and what it was told.
Value view_of(const ProjectView& view, const Core& core) {
  Value shown = Value::Map{{"project", view.name},
                           {"state", "open"},
                           {"waiting", view.waiting},
                           {"queued", view.queued},
                           {"running", view.running}};
  if (!view.known) return shown;
  const auto& known = *view.known;
  const bool is_over = known.is_closed && view.waiting + view.queued + view.running == 0;
  if (known.is_closed) shown.set("state", is_over ? "over" : "closed");
  shown.set("is_opened", known.is_opened);
  if (known.is_retried)
    shown.set("retried_after", to_text(TaskId{core.origin(), known.opened_after}));
  shown.set("accepted", known.accepted);
  shown.set("is_not_done", known.first_not_done != 0);
  if (known.expected != 0) shown.set("expected", known.expected);
  shown.set("has_collect", !known.collect.empty());
  if (!known.collect.empty() && known.collected != 0)
    shown.set("collected", to_text(TaskId{core.origin(), known.collected}));
  return shown;
}

// A page of the projects, by name, behind `after`; or one of them.
Expected<Value> projects(const Value& options, const Core& core, const Within& within) {
  const auto most = options["most"].int_or(kPageTasksMax);
  if (most < 1 || most > kPageTasksMax)
    return Error{text("projects: most ", most, ", limits 1 and ", kPageTasksMax)};
  const auto found = core.project_counts().list(options["after"].text_or(""),
                                                static_cast<std::size_t>(most), within);
  Value::Array list;
  for (const auto& view : found) list.push_back(view_of(view, core));
  const bool is_whole = static_cast<std::int64_t>(found.size()) < most;
  return Value(Value::Map{{"projects", std::move(list)},
                          {"next", is_whole ? Value() : Value(found.back().name)}});
}

Value schedules(const Core& core, const Within& within) {
  auto list = core.schedules().list();
  std::erase_if(list, [&](const Value& one) { return !within.has(one["name"].text_or("")); });
  return list;
}

// As they were declared.
Value declared(std::string_view what, const Core& core, const Within& within) {
  Value::Array list;
  core.wishes().each(what, [&](const std::string& name, const Bytes& value) {
    if (!within.has(name)) return;
    if (auto told = Value::from_msgpack(value)) list.push_back(std::move(*told));
  });
  return list;
}

Value task(const TaskId& id, const Core& core, Journal& journal, const Within& within) {
  const auto view =
      id.origin == core.origin() ? core.explain().task(id.seq) : std::optional<TaskView>{};
  if (!view) return {};
  const auto* task_class = core.class_of(id.seq);
  if (!within.has(task_class == nullptr ? "" : task_class->project)) return {};
  const auto specs = journal.specs(id.seq, 1);
  ByteReader reader(specs.bytes);
  const auto spec = protocol::read_task_spec(reader);
  Value::Array why;
  const auto conditions = spec ? spec->conditions : std::string_view();
  for (const auto& each : core.explain().why(id.seq, conditions, within))
    why.push_back(view_of(each, id.origin));
  Value answer = view_of(id, *view, task_class == nullptr ? protocol::TaskClass{} : *task_class,
                         specs.submitted_unix_ms);
  answer.set("worker", view->worker);
  if (within.is_all() && view->lease != Lease{}) {
    answer.set("pid", view->pid);
    answer.set("lease", to_text(view->lease));
  }
  answer.set("why", std::move(why));
  if (spec && !spec->trace.empty())
    answer.set("traceparent", protocol::traceparent_of(spec->trace));
  if (spec) protocol::tell_args(spec->args, answer);
  if (spec && spec->args.size() > protocol::kArgsToldMax)
    answer.set("args_bytes", std::uint64_t{spec->args.size()});
  answer.set("reasons", Value::Array(view->reasons.begin(), view->reasons.end()));
  return answer;
}

// Whoever may submit to the project may have used the key: each has his own, and the last counts.
std::optional<KeyAnswered> answer_of(std::string_view key, const std::string& project,
                                     const Answers& answers, const Within& within) {
  std::optional<KeyAnswered> last;
  for (std::size_t end = 0; end <= kPrefixBytesMax;) {
    const Within by(project.substr(0, end));
    auto found = within.has(by.prefix()) ? answers.find(by.own(key)) : std::nullopt;
    if (found && (!last || last->answered.first < found->answered.first)) last = std::move(found);
    const auto slash = project.find('/', end);
    if (slash == project.npos) break;
    end = slash + 1;
  }
  return last;
}

// What is remembered of the submit with that key, or with that task. What a task's project was is
// not known once it is settled: who is held to a prefix hears of keys alone that are within it.
Value submission(const TaskId& id, const Value& options, const Core& core, const Within& within) {
  const auto key = options["key"].text_or("");
  const auto& answers = core.answers();
  std::optional<KeyAnswered> found;
  if (!key.empty())
    found = answer_of(key, options["project"].text_or(within.prefix()), answers, within);
  else if (key.empty() && id.origin == core.origin())
    found = answers.of_task(id.seq);
  if (!found) return {};
  const auto owned = owned_name(found->key);
  if (!within.has(owned.by.prefix())) return {};
  return Value::Map{{"key", owned.name},
                    {"first", to_text(TaskId{core.origin(), found->answered.first})},
                    {"count", found->answered.count}};
}

}  // namespace

Expected<Value> answer_to(const protocol::Query& query, const Core& core, Journal& journal,
                          Duration page_time) {
  const auto options = protocol::options_of(query);
  if (!options) return options.error();
  const Within within(query.within);
  if (query.what == "status")
    return within.is_all() ? status(core, journal) : status_within(core, within);
  if (query.what == "bounds" && !within.is_all())
    return Error{text("query bounds: tells of all projects, not of ", within.prefix()),
                 ErrorCode::kOutside};
  if (query.what == "bounds") return bounds(core);
  if (query.what == "limits") return limits(core, within);
  if (query.what == "workers")
    return within.is_all() ? workers(core) : workers_within(core, within);
  if (query.what == "kinds") return kinds(core);
  if (query.what == "tasks") return tasks(*options, core, journal, within, page_time);
  if (query.what == "projects") return projects(*options, core, within);
  if (query.what == "project") {
    const auto name = (*options)["project"].text_or("");
    const auto view = within.has(name) ? core.project_counts().of(name) : std::nullopt;
    if (!view) return Value();
    auto shown = view_of(*view, core);
    shown.set("read_to", core.cursor());
    return shown;
  }
  if (query.what == "chains") return declared("chain", core, within);
  if (query.what == "alerts") return declared("alert", core, within);
  if (query.what == "raised") return declared("raised", core, within);
  if (query.what == "schedules") return schedules(core, within);
  if (query.what == "schedule") {
    const auto name = (*options)["name"].text_or("");
    const auto beats = static_cast<std::size_t>((*options)["beats"].int_or(0));
    return within.has(name) ? core.schedules().view(name, beats) : Value();
  }
  if (query.what == "task") return task({query.origin, query.seq}, core, journal, within);
  if (query.what == "submission")
    return submission({query.origin, query.seq}, *options, core, within);
  return Error{text("query ", query.what, ": not known")};
}

}  // namespace eole::ventilator
