#include "sink/io/status.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <numeric>

#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/process/options.hpp"
#include "common/process/usage.hpp"
#include "common/protocol/histogram_view.hpp"
#include "common/protocol/query_options.hpp"

namespace eole::sink {

using protocol::Value;

namespace {

constexpr std::int64_t kPageProjectsMax = 1000;

// What is used of some bounds, by their names.
Value bounds(const ResultLog& log) {
  const auto& core = log.core();
  return Value::Map{
      {"kRunsPerUserMax", static_cast<std::int64_t>(core.runs().most_of_a_user())},
      {"kWaitingBytesMax", static_cast<std::int64_t>(core.waiting_bytes())},
      {"kNotDoneRangesMax", static_cast<std::int64_t>(core.origins().most_not_done_ranges())},
      {"kProjectsMax", static_cast<std::int64_t>(core.projects().list().size())},
      {"kGroupsMax", static_cast<std::int64_t>(core.groups().count())}};
}

// Days until the log is as large as it may be, if it goes on growing as it did; nothing if it
// cannot be said, or if results go for their age before.
Value days_left(const ResultLog& log, const LogStatus& status) {
  constexpr double kDayMs = 86'400'000;
  const auto oldest = log.oldest_unix_ms();
  const auto days = static_cast<double>(status.unix_ms - oldest) / kDayMs;
  const auto bytes = static_cast<double>(log.log_bytes());
  if (oldest == 0 || days <= 0 || log.core().head() == log.kept_from()) return {};
  const auto left = std::max(0.0, static_cast<double>(status.retention.bytes) - bytes);
  const auto found = left / (bytes / days);
  return found + days > static_cast<double>(status.retention.days) ? Value() : Value(found);
}

Value status(const ResultLog& log, const LogStatus& judged) {
  Value::Array gone;
  for (const auto origin : judged.gone) gone.emplace_back(origin_text(origin));
  Value::Array held_by;
  for (const auto& group : judged.held_by) held_by.emplace_back(group);
  const auto& core = log.core();
  const auto count_of = [&](protocol::TaskState state) {
    return core.counts()[static_cast<std::size_t>(state)];
  };
  const auto used = process::usage();
  return Value::Map{{"role", "sink"},
                    {"pid", static_cast<std::int64_t>(::getpid())},
                    {"version", process::kRelease},
                    {"up_seconds", used.up_seconds},
                    {"restarts", process::restarts()},
                    {"cpu_seconds", used.cpu_seconds},
                    {"memory_bytes", used.memory_bytes},
                    {"log", hex(core.log())},
                    {"head", core.head()},
                    {"settled", core.origins().settled_count()},
                    {"done", count_of(protocol::TaskState::kDone)},
                    {"failed", count_of(protocol::TaskState::kFailed)},
                    {"dead", count_of(protocol::TaskState::kDead)},
                    {"cancelled", count_of(protocol::TaskState::kCancelled)},
                    {"log_bytes", log.log_bytes()},
                    {"log_disk_bytes", log.disk_bytes()},
                    {"disk_free_bytes", log.free_bytes()},
                    {"log_kept_from", log.kept_from()},
                    {"log_oldest_unix_ms", log.oldest_unix_ms()},
                    {"log_keep_days", judged.retention.days},
                    {"log_keep_bytes", judged.retention.bytes},
                    {"log_days_left", days_left(log, judged)},
                    {"log_not_kept_for", std::move(gone)},
                    {"log_held_by", std::move(held_by)},
                    {"groups", core.groups().count()},
                    {"log_full", log.is_full()},
                    {"log_syncs", log.syncs()},
                    {"log_commit_us", protocol::percentiles_of(judged.commits)}};
}

// Each of its tasks once, for ever; what the log keeps of all is told by its offsets anyway.
Value status_within(const ResultLog& log, const Within& within) {
  const auto& core = log.core();
  std::array<std::uint64_t, 5> counts{};
  const auto& all = core.projects().list();
  for (auto at = all.lower_bound(within.prefix()); at != all.end() && within.has(at->first); ++at)
    for (std::size_t state = 0; state < counts.size(); ++state)
      counts[state] += at->second.counts[state];
  const auto count_of = [&](protocol::TaskState state) {
    return counts[static_cast<std::size_t>(state)];
  };
  return Value::Map{{"role", "sink"},
                    {"log", hex(core.log())},
                    {"head", core.head()},
                    {"within", within.prefix()},
                    {"settled", std::accumulate(counts.begin(), counts.end(), std::uint64_t{0})},
                    {"done", count_of(protocol::TaskState::kDone)},
                    {"failed", count_of(protocol::TaskState::kFailed)},
                    {"dead", count_of(protocol::TaskState::kDead)},
                    {"cancelled", count_of(protocol::TaskState::kCancelled)},
                    {"log_kept_from", log.kept_from()},
                    {"log_oldest_unix_ms", log.oldest_unix_ms()}};
}

// What ended of each kind since this process began, and how long it ran.
Value metrics(const ResultLog& log, const LogStatus& judged) {
  constexpr std::array kStates{"retrying", "done", "failed", "dead", "cancelled"};
  Value::Array kinds;
  for (const auto& [kind, told] : log.core().kinds().all()) {
    Value view = Value::Map{{"kind", kind}, {"runs", protocol::view_of(told.runs)}};
    for (std::size_t state = 0; state < kStates.size(); ++state)
      view.set(kStates.at(state), told.ends.at(state));
    kinds.push_back(std::move(view));
  }
  return Value::Map{{"kinds", std::move(kinds)},
                    {"dead_letters", log.core().letters().count()},
                    {"disk_free_bytes", log.free_bytes()},
                    {"commits", protocol::view_of(judged.commits)}};
}

// How the tasks of a project ended, and how far others say they are.
Value view_of(const std::string& name, const Projects::Project& project, double running_done) {
  const auto count_of = [&](protocol::TaskState state) {
    return project.counts[static_cast<std::size_t>(state)];
  };
  return Value::Map{{"project", name},
                    {"done", count_of(protocol::TaskState::kDone)},
                    {"failed", count_of(protocol::TaskState::kFailed)},
                    {"dead", count_of(protocol::TaskState::kDead)},
                    {"cancelled", count_of(protocol::TaskState::kCancelled)},
                    {"first_unix_ms", project.first_unix_ms},
                    {"last_unix_ms", project.last_unix_ms},
                    {"running_done", running_done}};
}

// Null if none of its tasks ended, or says how far it is.
Value project(const ResultLog& log, const Value& options, const Within& within) {
  const auto& core = log.core();
  const auto name = options["project"].text_or("");
  if (!within.has(name)) return {};
  const auto* project = core.projects().find(name);
  const auto done = core.under_way().done_of(name, core.origins());
  if (project == nullptr) return done > 0 ? view_of(name, {}, done) : Value();
  auto view = view_of(name, *project, done);
  if (const auto since = options["since"].int_or(-1); since >= 0)
    view.set("since", core.projects().counted_since(static_cast<std::uint64_t>(since), *project));
  return view;
}

// A page of all projects of which tasks ended, by name, behind the name `after`.
Expected<Value> projects(const ResultLog& log, const Value& options, const Within& within) {
  const auto most = options["most"].int_or(kPageProjectsMax);
  if (most < 1 || most > kPageProjectsMax)
    return Error{text("projects: most ", most, ", limits 1 and ", kPageProjectsMax)};
  const auto& core = log.core();
  const auto& all = core.projects().list();
  auto done = core.under_way().done(core.origins());
  Value::Array list;
  Value next;
  const auto after = options["after"].text_or("");
  auto at = after < within.prefix() ? all.lower_bound(within.prefix()) : all.upper_bound(after);
  for (; at != all.end() && within.has(at->first); ++at) {
    if (static_cast<std::int64_t>(list.size()) == most) {
      next = list.back()["project"];
      break;
    }
    const auto& [name, project] = *at;
    list.push_back(view_of(name, project, done[name]));
  }
  return Value(Value::Map{{"projects", std::move(list)}, {"next", std::move(next)}});
}

}  // namespace

std::optional<Expected<Value>> answer_at_once(const protocol::Query& query, const ResultLog& log,
                                              const LogStatus& judged) {
  const auto options = protocol::options_of(query);
  if (!options) return options.error();
  const Within within(query.within);
  if (query.what == "status")
    return within.is_all() ? status(log, judged) : status_within(log, within);
  const bool is_of_all = query.what == "bounds" || query.what == "metrics";
  if (is_of_all && !within.is_all())
    return Error{text("query ", query.what, ": tells of all projects, not of ", within.prefix()),
                 ErrorCode::kOutside};
  if (query.what == "metrics") return metrics(log, judged);
  if (query.what == "bounds") return bounds(log);
  if (query.what == "project") return project(log, *options, within);
  if (query.what == "projects") return projects(log, *options, within);
  return std::nullopt;
}

Known known_to(const protocol::Query& query, const ResultLog& log, TimePoint now) {
  Known known{log.core().known({query.origin, query.seq}), {}, {}};
  const auto options = protocol::options_of(query);
  if (options && query.what == "groups") {
    const auto& groups = log.core().groups();
    const auto name = (*options)["group"].text_or("");
    if ((*options)["group"].is_null()) {
      known.groups =
          groups.list(query.within, (*options)["after"].text_or(""), kPageGroupsMax, now);
    } else if (auto one = groups.find(name, now); one && Within(query.within).has(name)) {
      known.groups.push_back(std::move(*one));
    }
  }
  if (!options || query.what != "parts") return known;
  const auto name = (*options)["project"].text_or("");
  const auto* project = Within(query.within).has(name) ? log.core().projects().find(name) : nullptr;
  if (project != nullptr) known.project = *project;
  return known;
}

}  // namespace eole::sink
