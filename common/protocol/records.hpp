#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/base/ids.hpp"

/// The fixed, little-endian records inside payloads. They are carried unopened where possible:
/// the views point into the payload that they were read from.
namespace eole::protocol {

constexpr std::size_t kInlineBytesMax = 1 << 20;   // A larger result is an artifact.
constexpr std::size_t kTaskBytesMax = 1 << 20;     // One task's arguments.
constexpr std::size_t kPayloadBytesMax = 8 << 20;  // One message.
constexpr std::size_t kChunkBytes = 256 << 10;     // One piece of an artifact.
constexpr std::uint32_t kTasksPerMessageMax = 65536;

constexpr std::size_t kConditionsBytesMax = 32 << 10;  // Of one task.

/// What differs from task to task in a class: u8 flags, u32 arguments size; with flag 1 u16
/// conditions size, conditions; with flag 2 the trace that it is part of, 25 bytes; arguments.
struct TaskSpec {
  static constexpr std::size_t kHeaderBytes = 5;
  std::string_view args;             // One msgpack map.
  std::string_view conditions = {};  // Encoded; empty: none.
  std::string_view trace = {};       // trace.hpp; empty: none.
  bool operator==(const TaskSpec&) const = default;
};
void put_task_spec(Bytes& out, const TaskSpec& spec);
/// Whether the spec that these bytes begin with has conditions.
bool has_conditions(std::string_view spec);
/// Reads one spec; nothing (and the reader not ok) if it is malformed or over a limit.
std::optional<TaskSpec> read_task_spec(ByteReader& reader);
/// The number of whole specs in `payload`, or why it is not a list of specs that all have
/// conditions, or have none.
Expected<std::uint32_t> count_task_specs(std::string_view payload, bool have_conditions = false);

/// What one request of a client came to: u64 request, u64 first, u32 count. Its tasks are
/// first … first + count - 1.
struct Acceptance {
  std::uint64_t request = 0;
  Seq first = 0;
  std::uint32_t count = 0;
  bool operator==(const Acceptance&) const = default;
};
void put_acceptance(Bytes& out, const Acceptance& acceptance);
/// Nothing, and the reader not ok, behind the last one.
std::optional<Acceptance> read_acceptance(ByteReader& reader);

/// Tasks of one class on a pipe that were accepted together, whose numbers and leases follow one
/// another: u64 seq, u64 lease number, i64 submitted (Unix ms), u16 attempt, u16 class size, u16
/// lost size, u32 count, u32 specs size; class, lost, then `count` specs as they were submitted.
struct TaskRun {
  static constexpr std::size_t kHeaderBytes = 38;
  Seq seq = 0;
  std::uint64_t lease_number = 0;
  std::uint16_t attempt = 1;
  std::uint32_t count = 1;
  std::string_view task_class;  // Encoded.
  std::string_view specs;
  std::int64_t submitted_unix_ms = 0;
  std::string_view lost = {};  // Why attempts before it were: a msgpack list. Of one task only.
  bool operator==(const TaskRun&) const = default;
};
void put_task_run(Bytes& out, const TaskRun& run);
/// Puts more tasks behind those of the run that `out` ends with and that begins at `run_at`.
void extend_task_run(Bytes& out, std::size_t run_at, std::uint32_t count, std::string_view specs);
/// Neither class nor specs are looked into: read_task_spec tells whether there are `count` good
/// ones.
std::optional<TaskRun> read_task_run(ByteReader& reader);

enum class HeldState : std::uint8_t { kWaiting = 1, kStarted, kFinished, kReturned };
/// One task that a worker holds: u32 origin, u64 seq, u32 lease start, u64 lease number, u8 state.
struct Held {
  TaskId id;
  Lease lease;
  HeldState state = HeldState::kWaiting;
  bool operator==(const Held&) const = default;
};
Bytes encode_held(const std::vector<Held>& held);
Expected<std::vector<Held>> decode_held(std::string_view payload);

enum class OrderKind : std::uint8_t { kCancel = 1, kDrop, kReleased, kRecall };
/// What the ventilator wants done with a held task: u8 kind, then as a held record up to the lease.
struct Order {
  OrderKind kind = OrderKind::kCancel;
  TaskId id;
  Lease lease;
  bool operator==(const Order&) const = default;
};
Bytes encode_orders(const std::vector<Order>& orders);
Expected<std::vector<Order>> decode_orders(std::string_view payload);

enum class TaskState : std::uint8_t { kDone = 1, kFailed, kDead, kCancelled };
std::string_view to_text(TaskState state);

/// How one attempt (or, if final, one task) ended.
struct ResultRecord {
  TaskId id;
  Lease lease;
  std::uint16_t attempt = 0;
  TaskState state = TaskState::kDone;
  bool is_final = true;
  bool is_unconfirmed = false;  // A lost worker may still be running it.
  std::int64_t finished_unix_ms = 0;
  std::int64_t submitted_unix_ms = 0;  // When it was accepted, by its ventilator's clock.
  std::uint64_t run_us = 0;            // Zero: nobody ran it.
  std::uint64_t run_ms() const { return run_us / 1000; }
  std::string_view kind;
  std::string_view project;
  std::string_view artifacts;  // 32 bytes of SHA-256 each.
  std::string_view body;       // One msgpack map.
  std::string_view key = {};   // That orders its task; most have none.
  bool may_have_copy = false;  // Its task may run twice at once (ring rule V12).
  bool is_copy = false;        // Another attempt of its task counts; never final.
  bool operator==(const ResultRecord&) const = default;
};

/// Results that differ in their bodies only, of tasks whose numbers and leases follow one another:
/// u32 origin, u64 seq, u32 lease start, u64 lease number, u16 attempt, u8 state, u8 flags (1:
/// final, 2: unconfirmed, 4: may have a copy, 8: is one), i64 finished, i64 submitted (Unix ms),
/// u64 run time in microseconds (zero: nobody ran it), u8 kind size, u8 project size, u8 artifacts,
/// u8 key size, u32 count, u32 size of the bodies; kind, project, artifacts (32 bytes each) and key
/// (one result only), then `count` bodies, each after its size as u32.
struct ResultRun {
  static constexpr std::size_t kHeaderBytes = 64;
  ResultRecord first;  // Without its body.
  std::uint32_t count = 1;
  std::string_view bodies;
  Seq last() const { return first.id.seq + count - 1; }
  /// The run without its first `skipped` results, of which there are more.
  ResultRun behind(std::uint32_t skipped) const;
  /// The first result, as a run of its own and whole.
  ResultRun alone() const;
  ResultRecord record() const;
};
void put_result_run(Bytes& out, const ResultRun& run);
/// Nothing if it is malformed; the sizes of all bodies were looked at.
std::optional<ResultRun> read_result_run(ByteReader& reader);

/// A run of one result.
void put_result(Bytes& out, const ResultRecord& result);
/// A body as a run has it: after its size.
void put_body(Bytes& out, std::string_view body);

/// The results of runs one by one.
class ResultReader {
 public:
  explicit ResultReader(std::string_view runs) : rest_(runs) {}
  /// Nothing behind the last one, and from the first run on that is malformed.
  std::optional<ResultRecord> next();

 private:
  ByteReader rest_;
  std::optional<ResultRun> run_;  // What is left of it.
};

/// A piece of the log, as it is on disk and on the wire: u64 first offset, u64 run, u64 level,
/// u32 count, u16 worker size, u32 pid, worker, then the runs of `count` results.
struct ResultBatch {
  static constexpr std::size_t kHeaderBytes = 34;
  std::uint64_t first_offset = 0;
  RunId run = 0;
  std::uint64_t level = 0;  // All of the run's numbers up to this one are in the log.
  std::uint32_t count = 0;
  std::string_view worker;
  std::string_view records;
  std::uint32_t pid = 0;  // The worker's process; zero: nobody's.
  bool operator==(const ResultBatch&) const = default;
};
Bytes encode_batch(const ResultBatch& batch);
std::optional<ResultBatch> read_batch(std::string_view bytes);

constexpr std::size_t kSettlementBytesMax = 1 << 20;  // One page.

/// What a ventilator must know of a stretch of the log: u32 count of settled ranges, u32 count of
/// those that ended but were not done, u32 count of times; the first, each u64 first, u64 last; the
/// second, each u8 state, u64 first, u64 last; the third, each u64 seq, u32 attempts, u64
/// microseconds that they ran in all; then the failures that are not final, each u64 seq, u32 lease
/// start, u64 lease number, u32 milliseconds after which it makes sense again, u8 cause size, u16
/// text size, cause, text.
struct Settlement {
  static constexpr std::size_t kHeaderBytes = 12;
  static constexpr std::size_t kRangeBytes = 16;
  static constexpr std::size_t kEndBytes = 17;
  static constexpr std::size_t kRanBytes = 20;
  static constexpr std::size_t kFailureBytes = 27;  // Without its texts.
  struct Range {
    Seq first = 0;
    Seq last = 0;
    bool operator==(const Range&) const = default;
  };
  /// How tasks ended that were not done.
  struct End {
    Range range;
    TaskState state = TaskState::kFailed;
    bool operator==(const End&) const = default;
  };
  /// How long attempts ran, final or not: of so many tasks of one project, of which this is one.
  struct Ran {
    Seq seq = 0;
    std::uint32_t attempts = 0;
    std::uint64_t us = 0;
    bool operator==(const Ran&) const = default;
  };
  struct Failure {
    Seq seq = 0;
    Lease lease;
    std::string reason;
    std::string cause = {};            // causes.hpp.
    std::uint32_t retry_after_ms = 0;  // Not sooner, says who failed.
    bool operator==(const Failure&) const = default;
  };
  std::vector<Range> ranges;  // Settled.
  std::vector<End> not_done;  // Those of them that failed, died or were cancelled.
  std::vector<Ran> ran;
  std::vector<Failure> failures;
  bool operator==(const Settlement&) const = default;
  /// Adds settled tasks; neighbours that come in order share a range.
  void add(const Range& range, TaskState state = TaskState::kDone);
  /// Adds what a later stretch of the log says.
  void add(const Settlement& later);
};
Bytes encode_settlement(const Settlement& settlement);
Expected<Settlement> decode_settlement(std::string_view payload);

}  // namespace eole::protocol
