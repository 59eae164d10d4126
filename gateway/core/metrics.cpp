#include "gateway/core/metrics.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "common/base/histogram.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::gateway {

using protocol::Value;

namespace {

/// One metric that a role tells as a number.
struct Row {
  std::string_view member;  // Of what the role says.
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::string_view label = {};  // state="…"
  double scale = 1;
};

constexpr std::array kVentilator{
    Row{"accepted", "eole_tasks_accepted_total", "counter", "Tasks that were accepted durably."},
    Row{"waiting", "eole_tasks", "gauge", "Tasks that are not settled, by what they do.",
        "state=\"waiting\""},
    Row{"queued", "eole_tasks", "", "", "state=\"queued\""},
    Row{"running", "eole_tasks", "", "", "state=\"running\""},
    Row{"journal_bytes", "eole_journal_bytes", "gauge", "Size of the ventilator's journal."},
    Row{"journal_syncs", "eole_journal_syncs_total", "counter", "Times that it was synced."},
};
constexpr std::array kVentilatorCounts{
    Row{"oldest_queued_seconds", "eole_oldest_queued_task_age_seconds", "gauge",
        "Since the oldest task that waits for a worker was accepted; zero if none does."},
    Row{"redelivered", "eole_redeliveries_total", "counter",
        "Attempts that were lost with their workers."},
    Row{"log_lag", "eole_ventilator_log_lag", "gauge",
        "Results of the log that the ventilator has not read yet."},
    Row{"disk_free_bytes", "eole_journal_disk_free_bytes", "gauge",
        "What is free of the journal's disk."},
};
constexpr std::array kSinkCounts{
    Row{"dead_letters", "eole_dead_letters", "gauge", "Dead letters that nobody discarded."},
    Row{"disk_free_bytes", "eole_log_disk_free_bytes", "gauge", "What is free of the log's disk."},
};
constexpr std::array kSink{
    Row{"done", "eole_results_total", "counter", "Tasks that ended, by how.", "state=\"done\""},
    Row{"failed", "eole_results_total", "", "", "state=\"failed\""},
    Row{"dead", "eole_results_total", "", "", "state=\"dead\""},
    Row{"cancelled", "eole_results_total", "", "", "state=\"cancelled\""},
    Row{"head", "eole_log_head_offset", "gauge", "Offset at which the log ends."},
    Row{"log_kept_from", "eole_log_kept_from_offset", "gauge", "Oldest offset that is kept."},
    Row{"log_bytes", "eole_log_bytes", "gauge", "Size of the kept results."},
    Row{"log_disk_bytes", "eole_log_disk_bytes", "gauge", "What the log takes on the disk."},
    Row{"log_days_left", "eole_log_left_seconds", "gauge",
        "Until the log drops its oldest results for their size, at this rate.", "", 86400},
    Row{"log_syncs", "eole_log_syncs_total", "counter", "Times that the log was synced."},
    Row{"artifacts", "eole_artifacts", "gauge", "Artifacts that the sink keeps."},
    Row{"artifact_bytes", "eole_artifact_bytes", "gauge", "Size of these."},
    Row{"groups", "eole_groups", "gauge", "Groups of readers of the log."},
};
constexpr std::array kGateway{
    Row{"connections", "eole_http_connections", "gauge", "Connections that are open."},
    Row{"listeners", "eole_http_listeners", "gauge",
        "Of these, WebSockets, WAMP sessions and streams of events."},
    Row{"open_uploads", "eole_http_open_uploads", "gauge",
        "Resumable uploads that are not taken in."},
};

void put_head(std::string& out, std::string_view name, std::string_view type,
              std::string_view help) {
  out += text("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

void put(std::string& out, std::string_view name, std::string_view labels, const Value& number,
         double scale) {
  out += text(name, labels.empty() ? "" : "{", labels, labels.empty() ? "" : "}", " ");
  const auto* real = number.as<double>();
  if (scale == 1)
    out += number.to_json();
  else
    out +=
        Value((real == nullptr ? static_cast<double>(number.int_or(0)) : *real) * scale).to_json();
  out += "\n";
}

void put_rows(std::string& out, const auto& rows, const Value& told) {
  const Row* head = nullptr;  // Of a metric with several labels, until it is put.
  for (const auto& row : rows) {
    const auto& number = told[row.member];
    if (!row.type.empty()) head = &row;
    if (number.is_null()) continue;
    if (head != nullptr) put_head(out, head->name, head->type, head->help);
    head = nullptr;
    put(out, row.name, row.label, number, row.scale);
  }
}

// A label's value as the format has it.
std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char letter : value) {
    if (letter == '\n') {
      out += "\\n";
      continue;
    }
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + "\"";
}

// Of each kind that is told, under its name.
template <class Put>
void each_kind(const Value& counts, Put&& put_one) {
  const auto* kinds = counts["kinds"].as<Value::Array>();
  if (kinds == nullptr) return;
  for (const auto& kind : *kinds) put_one(kind, "kind=" + quoted(shown(kind["kind"].text_or(""))));
}

bool has_kinds(const Value& counts) {
  const auto* kinds = counts["kinds"].as<Value::Array>();
  return kinds != nullptr && !kinds->empty();
}

// Microseconds as seconds: "0.0001", "2.5", "300".
std::string seconds(std::int64_t microseconds) {
  constexpr std::int64_t kSecond = 1'000'000;
  auto written = text(microseconds / kSecond);
  if (microseconds % kSecond == 0) return written;
  auto rest = text(kSecond + microseconds % kSecond).substr(1);
  rest.erase(rest.find_last_not_of('0') + 1);
  return text(written, ".", rest);
}

// As view_of() of such a histogram has it. `label` is empty, or what its buckets have besides.
template <class Counted>
void put_buckets(std::string& out, std::string_view name, const Value& told,
                 const std::string& label) {
  const auto* buckets = told["counts"].as<Value::Array>();
  if (buckets == nullptr || buckets->size() != std::tuple_size_v<typename Counted::Counts>) return;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < buckets->size(); ++i) {
    sum += (*buckets)[i].int_or(0);
    const bool is_last = i == Counted::kBoundsUs.size();
    const auto bound = is_last ? "+Inf" : seconds(Counted::kBoundsUs.at(i));
    put(out, text(name, "_bucket"), text(label, label.empty() ? "" : ",", "le=\"", bound, "\""),
        sum, 1);
  }
  put(out, text(name, "_sum"), label, told["seconds"], 1);
  put(out, text(name, "_count"), label, sum, 1);
}

void put_histogram(std::string& out, std::string_view name, std::string_view help,
                   const Value& counts, std::string_view member) {
  if (!has_kinds(counts)) return;
  put_head(out, name, "histogram", help);
  each_kind(counts, [&](const Value& kind, const std::string& label) {
    put_buckets<Histogram>(out, name, kind[member], label);
  });
}

void put_commits(std::string& out, std::string_view name, std::string_view help,
                 const Value& counts) {
  if (counts["commits"].is_null()) return;
  put_head(out, name, "histogram", help);
  put_buckets<SyncTimes>(out, name, counts["commits"], "");
}

void put_requests(std::string& out, const Value& gateway) {
  const auto* requests = gateway["requests"].as<Value::Array>();
  if (requests == nullptr || requests->empty()) return;
  put_head(out, "eole_http_requests_total", "counter", "Requests that were answered.");
  for (const auto& one : *requests)
    put(out, "eole_http_requests_total",
        text("method=", quoted(one["method"].text_or("")), ",route=", quoted(one["route"].text_or("")),
             ",status=\"", one["status"].int_or(0), "\""),
        one["count"], 1);
}

void put_ends(std::string& out, const Value& counts) {
  if (!has_kinds(counts)) return;
  put_head(out, "eole_task_results_total", "counter",
           "Results by kind and state since the sink began; retrying: tried again.");
  each_kind(counts, [&](const Value& kind, const std::string& label) {
    for (const auto* state : {"done", "failed", "dead", "cancelled", "retrying"})
      if (const auto number = kind[state].int_or(0); number > 0)
        put(out, "eole_task_results_total", text(label, ",state=\"", state, "\""), number, 1);
  });
}

void put_workers(std::string& out, const Value& workers) {
  const auto* list = workers.as<Value::Array>();
  if (list == nullptr) return;
  put_head(out, "eole_workers", "gauge", "Connected workers.");
  put(out, "eole_workers", "", std::uint64_t{list->size()}, 1);
  if (list->empty()) return;
  for (const auto& [member, name, help] :
       {std::array<std::string_view, 3>{"slots", "eole_worker_slots",
                                        "Tasks that a worker runs at a time."},
        {"held", "eole_worker_tasks", "Tasks that a worker has."}}) {
    put_head(out, name, "gauge", help);
    std::map<std::string, std::int64_t> sums;  // One that winds down may have another's name.
    for (const auto& worker : *list)
      sums[worker["name"].text_or("")] += worker[member].int_or(0);
    for (const auto& [worker, sum] : sums) put(out, name, "worker=" + quoted(worker), sum, 1);
  }
}

struct GroupRow {
  std::string_view member;
  std::string_view name;
  std::string_view type;
  std::string_view help;
};
constexpr std::array kGroupRows{
    GroupRow{"lag_records", "eole_group_lag_records", "gauge",
             "Records of the log that a group has not read."},
    GroupRow{"lag_seconds", "eole_group_lag_seconds", "gauge", "Age of the oldest of them."},
    GroupRow{"members", "eole_group_members", "gauge", "Who reads in the group."},
    GroupRow{"commits", "eole_group_commits_total", "counter",
             "Commits of its members since the sink began."},
    GroupRow{"unacknowledged", "eole_group_unacknowledged_records", "gauge",
             "Records that its members were given and have not committed."},
    GroupRow{"redelivered", "eole_group_redelivered_records_total", "counter",
             "Of these, what members had that left or were lost, since the sink began."},
};
constexpr std::array kPartitionRows{
    GroupRow{"lag_records", "eole_group_partition_lag_records", "gauge",
             "Of one partition: records that are not read."},
    GroupRow{"lag_seconds", "eole_group_partition_lag_seconds", "gauge",
             "Of one partition: age of the oldest of them."},
};

void put_groups(std::string& out, const Value& told) {
  const auto* groups = told["groups"].as<Value::Array>();
  if (groups == nullptr || groups->empty()) return;
  const auto label_of = [](const Value& group) {
    return "group=" + quoted(shown(group["group"].text_or("")));
  };
  for (const auto& row : kGroupRows) {
    put_head(out, row.name, row.type, row.help);
    for (const auto& group : *groups) put(out, row.name, label_of(group), group[row.member], 1);
  }
  for (const auto& row : kPartitionRows) {
    put_head(out, row.name, row.type, row.help);
    for (const auto& group : *groups) {
      const auto* each = group["each"].as<Value::Array>();
      if (each == nullptr) continue;  // They are many.
      for (const auto& one : *each)
        put(out, row.name,
            text(label_of(group), ",partition=\"", one["partition"].int_or(0), "\""),
            one[row.member], 1);
    }
  }
}

// The ventilator counts those that wait for something among the queued, too.
Value states_apart(const Value& ventilator) {
  if (ventilator.is_null()) return ventilator;
  auto apart = ventilator;
  apart.set("queued", ventilator["queued"].int_or(0) - ventilator["waiting"].int_or(0));
  return apart;
}

}  // namespace

std::string metrics_text(const Told& told) {
  std::string out;
  put_head(out, "eole_up", "gauge", "Whether a role answers.");
  put(out, "eole_up", "role=\"ventilator\"", told.ventilator.is_null() ? 0 : 1, 1);
  put(out, "eole_up", "role=\"sink\"", told.sink.is_null() ? 0 : 1, 1);
  put_rows(out, kVentilator, states_apart(told.ventilator));
  put_rows(out, kVentilatorCounts, told.ventilator_counts);
  put_histogram(out, "eole_task_wait_seconds",
                "From when a task was accepted to its first lease, what it waited for included.",
                told.ventilator_counts, "waits");
  put_commits(out, "eole_journal_commit_seconds", "How long the journal's writes and syncs took.",
              told.ventilator_counts);
  put_workers(out, told.workers);
  put_rows(out, kSink, told.sink);
  put_rows(out, kSinkCounts, told.sink_counts);
  put_ends(out, told.sink_counts);
  put_histogram(out, "eole_task_run_seconds", "How long attempts ran, done and failed ones.",
                told.sink_counts, "runs");
  put_commits(out, "eole_log_commit_seconds", "How long the log's writes and syncs took.",
              told.sink_counts);
  put_groups(out, told.groups);
  put_rows(out, kGateway, told.gateway);
  put_requests(out, told.gateway);
  return out;
}

}  // namespace eole::gateway
