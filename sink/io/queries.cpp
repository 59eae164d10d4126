#include "sink/io/queries.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/result_view.hpp"

namespace eole::sink {

using protocol::Value;

namespace {

constexpr std::int64_t kPageLettersMax = 1000;
constexpr std::int64_t kPageProjectsMax = 1000;
constexpr std::size_t kPageBytesMax = 1 << 20;  // Of letters or parts; one at least.

// What is used of some bounds, by their names.
Value bounds(const ResultLog& log) {
  const auto& core = log.core();
  return Value::Map{
      {"kRunsPerUserMax", static_cast<std::int64_t>(core.runs().most_of_a_user())},
      {"kWaitingBytesMax", static_cast<std::int64_t>(core.waiting_bytes())},
      {"kNotDoneRangesMax", static_cast<std::int64_t>(core.origins().most_not_done_ranges())},
      {"kProjectsMax", static_cast<std::int64_t>(core.projects().list().size())}};
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
  const auto& core = log.core();
  const auto count_of = [&](protocol::TaskState state) {
    return core.counts()[static_cast<std::size_t>(state)];
  };
  return Value::Map{{"role", "sink"},
                    {"pid", static_cast<std::int64_t>(::getpid())},
                    {"log", hex(core.log())},
                    {"head", core.head()},
                    {"settled", core.origins().settled_count()},
                    {"done", count_of(protocol::TaskState::kDone)},
                    {"failed", count_of(protocol::TaskState::kFailed)},
                    {"dead", count_of(protocol::TaskState::kDead)},
                    {"cancelled", count_of(protocol::TaskState::kCancelled)},
                    {"log_bytes", log.log_bytes()},
                    {"log_disk_bytes", log.disk_bytes()},
                    {"log_kept_from", log.kept_from()},
                    {"log_oldest_unix_ms", log.oldest_unix_ms()},
                    {"log_keep_days", judged.retention.days},
                    {"log_keep_bytes", judged.retention.bytes},
                    {"log_days_left", days_left(log, judged)},
                    {"log_not_kept_for", std::move(gone)},
                    {"log_full", log.is_full()},
                    {"log_syncs", log.syncs()}};
}

// A task's final record, or its last one.
Value result(const ResultLog& log, const TaskId& id) {
  const auto found = log.find(id);
  if (!found && log.core().origins().is_settled(id)) {
    const auto state = log.core().origins().not_done(id.origin).state_of(id.seq);
    return Value::Map{{"id", to_text(id)},
                      {"state", to_text(state)},
                      {"is_kept", false},
                      {"error", "settled; its result is no longer kept"}};
  }
  if (!found) return {};
  const auto batch = protocol::read_batch(found->batch);
  protocol::ResultReader reader(batch->records);
  for (auto offset = batch->first_offset; offset < found->offset; ++offset) reader.next();
  return view_of(*reader.next(), batch->worker, found->offset);
}

// Of a dead letter, for its replay.
Value spec(const ResultLog& log, const TaskId& id) {
  const auto found = log.find(id);
  if (!found) return {};
  const auto batch = protocol::read_batch(found->batch);
  protocol::ResultReader reader(batch->records);
  while (const auto record = reader.next())
    if (record->id == id && record->is_final)
      if (const auto body = Value::from_msgpack(record->body)) return (*body)["spec"];
  return {};
}

Value view_of_project(std::string_view name, const Projects::Project& project) {
  const auto count_of = [&](protocol::TaskState state) {
    return project.counts[static_cast<std::size_t>(state)];
  };
  return Value::Map{{"project", std::string(name)},
                    {"done", count_of(protocol::TaskState::kDone)},
                    {"failed", count_of(protocol::TaskState::kFailed)},
                    {"dead", count_of(protocol::TaskState::kDead)},
                    {"cancelled", count_of(protocol::TaskState::kCancelled)},
                    {"first_unix_ms", project.first_unix_ms},
                    {"last_unix_ms", project.last_unix_ms}};
}

// How the tasks of one project ended; null if none did.
Value project(const ResultLog& log, const Value& options) {
  const auto name = options["project"].text_or("");
  const auto* found = log.core().projects().find(name);
  return found == nullptr ? Value() : view_of_project(name, *found);
}

// A page of all projects, by name, behind the name `after`.
Expected<Value> projects(const ResultLog& log, const Value& options) {
  const auto most = options["most"].int_or(kPageProjectsMax);
  if (most < 1 || most > kPageProjectsMax)
    return Error{text("projects: most ", most, ", limits 1 and ", kPageProjectsMax)};
  const auto& all = log.core().projects().list();
  Value::Array list;
  Value next;
  for (auto at = all.upper_bound(options["after"].text_or("")); at != all.end(); ++at) {
    if (static_cast<std::int64_t>(list.size()) == most) {
      next = std::prev(at)->first;
      break;
    }
    list.push_back(view_of_project(at->first, at->second));
  }
  return Value(Value::Map{{"projects", std::move(list)}, {"next", std::move(next)}});
}

// Of a part that was not done, or that another task did anew.
bool tells_of_missing(const protocol::ResultRecord& record) {
  return record.state != protocol::TaskState::kDone ||
         record.body.find("instead_of") != record.body.npos;
}

// How each task of a project ended, in pages in the log's order from the offset `from` on: null if
// the log has counted none. Parts that are no longer kept are not left out in silence. With
// `missing`, only what says which parts were not done, without values.
Expected<Value> parts(const ResultLog& log, const Value& options, Duration page_time) {
  const auto name = options["project"].text_or("");
  const auto* found = log.core().projects().find(name);
  if (found == nullptr) return Value();
  const auto from = options["from"].is_null()
                        ? found->first_offset
                        : static_cast<std::uint64_t>(options["from"].int_or(0));
  if (from < log.kept_from())
    return Error{text("parts of project ", name, ": its results from offset ", from,
                      " on are wanted, those from ", log.kept_from(), " on are kept")};
  const bool is_missing = options["missing"] == Value(true);
  const auto until = process::now() + page_time;
  Value::Array list;
  std::size_t bytes = 0;
  const auto next = log.visit_project(
      name, from, found->last_offset,
      [&](const protocol::ResultRecord& record, std::string_view worker, std::uint64_t offset) {
        constexpr std::size_t kAroundBody = 256;  // What a view says besides, about.
        if (is_missing && !tells_of_missing(record)) return true;
        auto view = view_of(record, worker, offset);
        if (is_missing)
          view = Value::Map{
              {"id", view["id"]}, {"state", view["state"]}, {"instead_of", view["instead_of"]}};
        bytes += kAroundBody + (is_missing ? 0 : record.body.size());
        list.push_back(std::move(view));
        return bytes < kPageBytesMax;
      },
      [&] { return process::now() >= until; });
  std::uint64_t tasks = 0;
  for (const auto count : found->counts) tasks += count;
  return Value(Value::Map{
      {"parts", std::move(list)}, {"tasks", tasks}, {"next", next ? Value(*next) : Value()}});
}

// Every attempt of a task that the log knows, newest first.
Value attempts(const ResultLog& log, const TaskId& id, const Value& options, Duration page_time) {
  const auto head = log.core().head();
  const auto before = static_cast<std::uint64_t>(options["before"].int_or(
      static_cast<std::int64_t>(std::min<std::uint64_t>(head, INT64_MAX))));
  const auto until = process::now() + page_time;
  Value::Array list;
  std::size_t bytes = 0;
  const auto next = log.visit_attempts(
      id, std::min(before, head),
      [&](const protocol::ResultRecord& record, std::string_view worker, std::uint64_t offset) {
        bytes += record.body.size();
        list.push_back(view_of(record, worker, offset));
        return bytes < kPageBytesMax;
      },
      [&] { return process::now() >= until; });
  return Value::Map{{"attempts", std::move(list)}, {"next", next ? Value(*next) : Value()}};
}

// A page of the list of dead letters, behind the offset `after`.
Expected<Value> dead(const ResultLog& log, const Value& options, Duration page_time) {
  const auto project = options["project"].text_or("");
  const auto most = options["most"].int_or(kPageLettersMax);
  if (most < 1 || most > kPageLettersMax)
    return Error{text("dead: most ", most, ", limits 1 and ", kPageLettersMax)};
  const auto after = options["after"].int_or(-1);
  const auto until = process::now() + page_time;
  Value::Array letters;
  std::size_t bytes = 0;
  Value next;
  const auto go_on = log.visit_dead(
      static_cast<std::uint64_t>(std::max<std::int64_t>(after, -1) + 1),
      [&](const protocol::ResultRecord& record, std::string_view worker, std::uint64_t offset) {
        if (project.empty() || record.project == project) {
          auto view = view_of(record, worker, offset);
          bytes += view.to_msgpack().size();
          letters.push_back(std::move(view));
        }
        const bool is_full = static_cast<std::int64_t>(letters.size()) >= most ||
                             bytes >= kPageBytesMax || process::now() >= until;
        if (is_full) next = offset;
        return !is_full;
      },
      [&] { return process::now() >= until; });
  if (go_on) next = *go_on - 1;
  return Value(Value::Map{{"letters", std::move(letters)}, {"next", std::move(next)}});
}

}  // namespace

Expected<Value> answer_to(const protocol::Query& query, const ResultLog& log,
                          const LogStatus& judged, Duration page_time) {
  const auto options =
      query.payload.empty() ? Expected<Value>(Value()) : Value::from_msgpack(query.payload);
  if (!options) return Error{text("query ", query.what, ": ", options.error().message)};
  const TaskId id{query.origin, query.seq};
  if (query.what == "status") return status(log, judged);
  if (query.what == "bounds") return bounds(log);
  if (query.what == "result") return result(log, id);
  if (query.what == "spec") return spec(log, id);
  if (query.what == "attempts") return attempts(log, id, *options, page_time);
  if (query.what == "dead") return dead(log, *options, page_time);
  if (query.what == "project") return project(log, *options);
  if (query.what == "parts") return parts(log, *options, page_time);
  if (query.what == "projects") return projects(log, *options);
  if (query.what == "offset_at")
    return Value(Value::Map{{"offset", log.offset_at((*options)["unix_ms"].int_or(0))}});
  return Error{text("query ", query.what, ": not known")};
}

}  // namespace eole::sink
