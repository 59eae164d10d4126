#include "cli/lookup.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "clients/cpp/blocking/log_reader.hpp"
#include "common/base/durations.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/protocol/result_view.hpp"

namespace eole::cli {

Value look_up(Cluster& cluster, const TaskId& id) {
  auto view = need(cluster.sink.query("result", id));
  if (!view.is_null() && view["state"].text_or("") != "retrying") return view;
  auto task = need(cluster.ventilator.query("task", id));
  if (task.is_null()) {  // Settled between the two questions, or never accepted.
    view = need(cluster.sink.query("result", id));
    if (view.is_null()) throw Failure{kNotDone, text(to_text(id), ": no such task was accepted")};
    return view;
  }
  return task;
}

Value::Array attempts_of(Cluster& cluster, const TaskId& id) {
  Value::Array attempts;
  Value options = Value::Map{};
  while (true) {
    const auto page = need(cluster.sink.query("attempts", id, options));
    const auto* list = page["attempts"].as<Value::Array>();
    if (list != nullptr) attempts.insert(attempts.end(), list->begin(), list->end());
    if (list == nullptr || page["next"].is_null()) break;
    options.set("before", page["next"]);
  }
  std::reverse(attempts.begin(), attempts.end());
  return attempts;
}

namespace {

// Asks one role for page after page of the list `name`.
void each(client::Requests& role, const std::string& what, const std::string& name, Value options,
          const OnView& on_view) {
  while (true) {
    const auto page = need(role.query(what, {}, options));
    const auto* list = page[name].as<Value::Array>();
    if (list == nullptr) throw Failure{kNoCluster, text(what, ": not a list")};
    for (const auto& view : *list)
      if (!on_view(view)) return;
    if (page["next"].is_null()) return;
    options.set("after", page["next"]);
  }
}

}  // namespace

void each_task(Cluster& cluster, Value options, const OnView& on_task) {
  each(cluster.ventilator, "tasks", "tasks", std::move(options), on_task);
}

void each_letter(Cluster& cluster, const std::string& project, const OnView& on_letter) {
  Value options = Value::Map{};
  if (!project.empty()) options.set("project", project);
  each(cluster.sink, "dead", "letters", std::move(options), on_letter);
}

void each_project(client::Requests& role, const OnView& on_project) {
  each(role, "projects", "projects", Value::Map{}, on_project);
}

std::uint64_t head_of(Cluster& cluster) {
  return static_cast<std::uint64_t>(need(cluster.sink.query("status"))["head"].int_or(0));
}

std::uint64_t offset_at(Cluster& cluster, std::int64_t unix_ms) {
  const auto answer = need(cluster.sink.query("offset_at", {}, Value::Map{{"unix_ms", unix_ms}}));
  return static_cast<std::uint64_t>(answer["offset"].int_or(0));
}

void each_result(Cluster& cluster, std::int64_t since_unix_ms, const std::string& project,
                 const OnView& on_result) {
  const auto head = head_of(cluster);
  const auto from = since_unix_ms > 0 ? offset_at(cluster, since_unix_ms) : 0;
  if (from >= head) return;
  auto reader =
      need(client::LogReader::open_kept(cluster.context, cluster.file, from, [](const Error& gone) {
        std::fprintf(stderr, "eole: %s; going on there\n", shown(gone.message).c_str());
      }));
  for (auto offset = from; offset < head;) {
    const auto encoded = need(reader->next(1s));
    if (!encoded) continue;
    const auto batch = protocol::read_batch(*encoded);
    protocol::ResultReader records(batch->records);
    for (offset = batch->first_offset; offset < batch->first_offset + batch->count; ++offset) {
      const auto result = records.next();
      if (!result || offset < from || offset >= head || !result->is_final) continue;
      if (result->finished_unix_ms < since_unix_ms) continue;
      if (!project.empty() && result->project != project) continue;
      if (!on_result(view_of(*result, batch->worker, offset))) return;
    }
  }
}

std::uint64_t count_of(const TaskSet& tasks) {
  std::uint64_t sum = 0;
  for (const auto& [origin, seqs] : tasks) sum += seqs.count();
  return sum;
}

Expected<std::int64_t> parse_when(const std::string& written, std::int64_t now_unix_ms,
                                  std::string_view flag) {
  const Error bad{
      text(flag, " ", written, ": is no time (10m, 2h, 1d ago, today, or 2026-01-31T12:00:00Z)")};
  if (written == "today") {
    const auto now = static_cast<std::time_t>(now_unix_ms / 1000);
    std::tm parts{};
    ::localtime_r(&now, &parts);
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    parts.tm_isdst = -1;
    return std::int64_t{::mktime(&parts)} * 1000;
  }
  constexpr std::array<std::pair<char, std::int64_t>, 4> kUnits{
      {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};
  for (const auto& [letter, seconds] : kUnits) {
    if (written.empty() || written.back() != letter) continue;
    std::int64_t count = 0;
    const auto* end = written.data() + written.size() - 1;
    const auto [stop, error] = std::from_chars(written.data(), end, count);
    constexpr std::int64_t kMost = 100'000'000;
    if (error != std::errc{} || stop != end || count < 0 || count > kMost) return bad;
    return std::max<std::int64_t>(0, now_unix_ms - count * seconds * 1000);
  }
  std::tm parts{};
  const char* rest = ::strptime(written.c_str(), "%Y-%m-%d", &parts);
  if (rest != nullptr && *rest == '\0') {  // A day begins at midnight, here.
    parts.tm_isdst = -1;
    return std::int64_t{::mktime(&parts)} * 1000;
  }
  const auto time = parse_time(written);
  return time ? *time : Expected<std::int64_t>(bad);
}

std::string human_age(std::int64_t milliseconds) {
  const auto seconds = std::max<std::int64_t>(0, milliseconds / 1000);
  if (seconds < 100) return text(seconds, " s");
  if (seconds < 100 * 60) return text(seconds / 60, " min");
  if (seconds < 48 * 3600) return text(seconds / 3600, " h");
  return text(seconds / 86400, " d");
}

}  // namespace eole::cli
