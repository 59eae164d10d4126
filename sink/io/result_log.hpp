#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/protocol/messages.hpp"
#include "common/storage/store.hpp"
#include "sink/core/settler.hpp"
#include "sink/io/log_index.hpp"

namespace eole::sink {

/// The records of the log. docs/storage.md has their layouts.
enum class LogRecord : std::uint32_t { kIntroduction = 1, kBatch, kDiscard, kRun };

/// The sink's log on disk, and the index that finds a result by offset, by task or by time. One
/// thread.
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
  /// Asked now and then: true ends a visit early.
  using IsLate = std::function<bool()>;
  /// The dead letters that nobody discarded, from `from` on, oldest first. If that took too long:
  /// the offset to go on from.
  std::optional<std::uint64_t> visit_dead(std::uint64_t from, const OnRecord& on_record,
                                          const IsLate& is_late) const;
  /// Every record of a task before the offset `before`, newest first. If it ended early: where to
  /// go on with `before`.
  std::optional<std::uint64_t> visit_attempts(const TaskId& id, std::uint64_t before,
                                              const OnRecord& on_record,
                                              const IsLate& is_late) const;
  /// The first offset at or after which every result lies that finished at or after this time.
  std::uint64_t offset_at(std::int64_t unix_ms) const;

  /// No record that is kept was taken before this time, Unix milliseconds; zero if that is not known.
  std::int64_t oldest_unix_ms() const;
  bool is_full() const;
  std::uint64_t disk_bytes() const { return store_.disk_bytes(); }
  std::uint64_t syncs() const { return store_.syncs(); }

 private:
  void append(const AppendBatch& batch);
  void append(const AppendDiscard& discard);
  void append(const AppendRun& run);
  void append(const AppendIntroduction& introduction);
  void load(storage::Position at, std::uint32_t type, std::string_view payload);
  /// Hears a batch; false ends the visit.
  using OnBatch = std::function<bool(std::string_view encoded, const protocol::ResultBatch& batch)>;
  /// Those from the one on that holds `offset`.
  void visit_batches(std::uint64_t offset, const OnBatch& on_batch) const;
  /// Those of one page of the index.
  void visit_page(const Page& page, const OnBatch& on_batch) const;

  storage::Directory& directory_;
  std::uint64_t segment_bytes_;
  std::optional<Settler> core_;
  LogIndex index_;
  std::int64_t oldest_unix_ms_ = 0;
  storage::Store store_;
};

}  // namespace eole::sink
