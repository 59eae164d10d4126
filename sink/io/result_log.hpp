#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/messages.hpp"
#include "common/storage/store.hpp"
#include "sink/core/settler.hpp"

namespace eole::sink {

/// The records of the log. docs/storage.md has their layouts.
enum class LogRecord : std::uint32_t { kIntroduction = 1, kBatch, kDiscard, kRun };

/// The sink's log on disk, and the index that finds a result by offset or by task. Some 60 bytes
/// of memory per batch, 150 per dead letter. One thread.
class ResultLog {
 public:
  /// Opens the log and loads `core` from it.
  ResultLog(storage::Directory& directory, storage::StoreOptions options);

  Settler& core() { return *core_; }
  const Settler& core() const { return *core_; }
  /// Writes what these actions ask for and makes it durable; then the rest of them may leave.
  void write(const Actions& actions);
  /// For when nothing waits.
  void rest() { store_.rest(); }

  /// Batches from the one that holds `offset` on, at most `bytes_max` (but at least one).
  /// Errors: another log, a cursor beyond the head, a cursor of other records.
  Expected<protocol::Records> read(const protocol::Read& query) const;
  /// What `origin` must know of the log from `offset` on, up to a bounded size.
  Expected<protocol::Settled> follow(const protocol::Follow& query) const;
  /// The encoded batch and the offset of a task's final record, or of its last one.
  struct Found {
    Bytes batch;
    std::uint64_t offset = 0;
  };
  std::optional<Found> find(const TaskId& id) const;
  /// Hears a record of the log; false ends the visit.
  using OnRecord = std::function<bool(const protocol::ResultRecord& result, std::string_view worker,
                                      std::uint64_t offset)>;
  /// The dead letters that nobody discarded, from `from` on, oldest first.
  void visit_dead(std::uint64_t from, const OnRecord& on_record) const;
  /// Every record of a task before the offset `before`, newest first. `is_late`, asked between
  /// two batches, ends it early.
  struct Visited {
    std::optional<std::uint64_t> next;  // Where to go on with `before`; nothing: that was all.
  };
  Visited visit_attempts(const TaskId& id, std::uint64_t before, const OnRecord& on_record,
                         const std::function<bool()>& is_late) const;
  /// The first offset at or after which every result lies that finished at or after this time.
  std::uint64_t offset_at(std::int64_t unix_ms) const;
  /// Those of `seqs` that have a letter in the list.
  SeqRanges letters_of(Origin origin, const SeqRanges& seqs) const;

  /// No record that is kept was taken before this time, Unix milliseconds; zero if that is not known.
  std::int64_t oldest_unix_ms() const;
  bool is_full() const;
  std::uint64_t disk_bytes() const { return store_.disk_bytes(); }
  std::uint64_t syncs() const { return store_.syncs(); }

 private:
  struct Entry {
    std::uint64_t first = 0;  // Offset of the batch's first record.
    std::uint32_t count = 0;
    std::uint32_t crc = 0;  // Of the encoded batch: part of a cursor behind it.
    Origin origin = 0;      // Of its first record; zero: several.
    Seq seq_min = 0;
    Seq seq_max = 0;
    storage::Position at;
    std::int64_t finished_max_unix_ms = 0;  // Of all records up to here.
    bool has_failures = false;              // Records that settle nothing.
  };
  void append(const AppendBatch& batch);
  void append(const AppendDiscard& discard);
  void append(const AppendRun& run);
  void discard(Origin origin, const SeqRanges& seqs);
  void append(const AppendIntroduction& introduction);
  void load(storage::Position at, std::uint32_t type, std::string_view payload);
  void index(storage::Position at, std::string_view encoded, const Summary& summary);
  std::size_t entry_of(std::uint64_t offset) const;

  storage::Directory& directory_;
  std::uint64_t segment_bytes_;
  std::optional<Settler> core_;
  std::vector<Entry> index_;
  std::int64_t oldest_unix_ms_ = 0;
  std::map<std::uint64_t, TaskId> dead_;  // The list: offset -> task.
  std::map<TaskId, std::uint64_t> dead_offsets_;
  storage::Store store_;
};

}  // namespace eole::sink
