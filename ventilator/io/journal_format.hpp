#pragma once
#include <cstdint>
#include <string_view>

#include "common/base/bytes.hpp"
#include "ventilator/core/durable.hpp"
#include "ventilator/core/events.hpp"

/// The records of the journal. docs/storage.md has their layouts.
namespace eole::ventilator {

enum class JournalRecord : std::uint32_t {
  kTasks = 1,
  kCancel,
  kNote,
  kCheckpoint,
  kMoved,  // Tasks of an old segment that still wait, so that the segment can go.
  kLost,   // Numbers whose tasks a salvage could not read.
  kStart,  // Whose journal this is, a second time: damage to the checkpoint must not cost that.
};

struct StartRecord {
  Origin origin = 0;
  std::uint32_t start = 0;
  std::string boot_id;
};
Bytes encode(const StartRecord& start, Seq last);
bool decode(std::string_view payload, StartRecord& start, Seq& last);

struct TasksRecord {
  Seq first = 0;
  std::uint32_t count = 0;
  std::uint8_t attempts_max = 0;
  std::int64_t submitted_unix_ms = 0;  // When they were accepted.
  RunId run = 0;
  std::uint64_t request = 0;
  std::uint64_t confirmed = 0;
  std::string key;
  std::string hash;
  std::string_view specs;
};
/// All of the record but its specs, which follow.
Bytes encode_head(const TasksRecord& record);
bool decode(std::string_view payload, TasksRecord& out);

Bytes encode(const JournalNote& note);
bool decode(std::string_view payload, JournalNote& out);

/// A checkpoint is the start record and all that the core must know, in one record: the journal's
/// identity must never be in another segment than the rest.
Bytes encode_checkpoint(const StartRecord& start, const Durable& durable);
bool decode_checkpoint(std::string_view payload, StartRecord& start, Durable& out);

}  // namespace eole::ventilator
