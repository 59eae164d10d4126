#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/common.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/records.hpp"

/// What commands ask the cluster, page by page where it may be long.
namespace eole::cli {

/// What is known of one task: its result if it is settled, else what the ventilator says. Throws
/// Failure if no such task was accepted.
Value look_up(Cluster& cluster, const TaskId& id);
inline bool is_settled(const Value& view) {
  return !view["offset"].is_null() || !view["is_kept"].is_null();
}

/// Every attempt of a task that the log knows, the oldest first.
Value::Array attempts_of(Cluster& cluster, const TaskId& id);

/// Hears one task or letter; false ends the list.
using OnView = std::function<bool(const Value& view)>;
/// Tasks that are not settled; `options` as docs/protocol.md has them.
void each_task(Cluster& cluster, Value options, const OnView& on_task);
/// Dead letters, the oldest first.
void each_letter(Cluster& cluster, const std::string& project, const OnView& on_letter);
/// The projects that one role knows, by name.
void each_project(client::Requests& role, const OnView& on_project);
/// The final results that are in the log now and finished at or after a time (0: all).
void each_result(Cluster& cluster, std::int64_t since_unix_ms, const std::string& project,
                 const OnView& on_result);

/// The first offset at or after which every result lies that finished since then.
std::uint64_t offset_at(Cluster& cluster, std::int64_t unix_ms);
std::uint64_t head_of(Cluster& cluster);

/// Tasks by their origin.
using TaskSet = std::map<Origin, SeqRanges>;
std::uint64_t count_of(const TaskSet& tasks);

/// "10m", "2h", "1d", "30s" (ago), "today", or RFC 3339; as Unix milliseconds. Errors name the
/// flag.
Expected<std::int64_t> parse_when(const std::string& written, std::int64_t now_unix_ms,
                                  std::string_view flag = "--since");
/// "5 s", "12 min", "3 h", "2 d".
std::string human_age(std::int64_t milliseconds);

}  // namespace eole::cli
