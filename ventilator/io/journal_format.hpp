#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "ventilator/core/durable.hpp"
#include "ventilator/core/events.hpp"

/// The records of the journal. docs/storage.md has their layouts.
namespace eole::ventilator {

/// The journal's own records; those of the parts are Part.
enum class JournalRecord : std::uint32_t {
  kTasks = 1,
  kMoved,        // Tasks of an old segment that still wait, so that the segment can go.
  kStart,        // Whose journal this is.
  kSnapshot,     // From here on the parts say all that they know, one record after the other …
  kSnapshotEnd,  // … and here they have: no part needs a record from before kSnapshot any more.
  kBeat,         // As kTasks: a schedule's task. Its name is the key, the beat's time the request.
};

struct StartRecord {
  Origin origin = 0;
  std::uint32_t start = 0;
  std::string boot_id;
};
/// Those that begin with a TasksRecord.
constexpr bool has_new_tasks(std::uint32_t type) {
  return type == static_cast<std::uint32_t>(JournalRecord::kTasks) ||
         type == static_cast<std::uint32_t>(JournalRecord::kBeat);
}
/// True for the three records that say whose journal it is.
bool is_identity(std::uint32_t type);
/// Of kStart, and of kSnapshot and kSnapshotEnd too: damage to one must not cost the identity.
/// last: the highest sequence number given out.
Bytes encode(const StartRecord& start, Seq last);
bool decode(std::string_view payload, StartRecord& start, Seq& last);

struct TasksRecord {
  Seq first = 0;
  std::uint32_t count = 0;
  std::int64_t submitted_unix_ms = 0;  // When they were accepted.
  RunId run = 0;
  std::uint64_t request = 0;
  std::uint64_t confirmed = 0;
  std::string key;
  std::string hash;
  std::string_view groups;  // As they were submitted.
};
/// All of the record but its groups, which follow.
Bytes encode_head(const TasksRecord& record);
bool decode(std::string_view payload, TasksRecord& out);

/// Tasks that follow one another, written again: when each was accepted, and their groups.
struct MovedRecord {
  Seq first = 0;
  std::vector<std::int64_t> submitted_unix_ms;
  std::string_view groups;
};
Bytes encode(const MovedRecord& record);
bool decode(std::string_view payload, MovedRecord& out);
/// When the task at `index` of such a record was accepted.
std::int64_t submitted_unix_ms(std::string_view moved, std::uint64_t index);

Bytes encode(const JournalNote& note);

}  // namespace eole::ventilator
