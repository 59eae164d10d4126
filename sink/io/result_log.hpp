#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/protocol/messages.hpp"
#include "common/storage/store.hpp"
#include "sink/core/retention.hpp"
#include "sink/core/settler.hpp"
#include "sink/io/log_index.hpp"

namespace eole::sink {

/// The records of the log; those of the parts of a checkpoint are Part. docs/storage.md has their
/// layouts.
enum class LogRecord : std::uint32_t {
  kIntroduction = 1,
  kBatch,
  kDiscard,
  kRun,
  kSegment,        // The first of each segment.
  kCheckpoint,     // From here on all that is known is said, one record after the other …
  kCheckpointEnd,  // … and here it has been: nothing before kCheckpoint is needed to know it.
};

/// The sink's log on disk, and the index that finds a result by offset, by task or by time. A
/// start reads the last checkpoint and what lies behind it. One thread.
class ResultLog {
 public:
  /// Opens the log and loads `core` from it. `unix_ms`: the time.
  ResultLog(storage::Directory& directory, storage::StoreOptions options, std::int64_t unix_ms);

  Settler& core() { return *core_; }
  const Settler& core() const { return *core_; }
  /// Writes what these actions ask for and makes it durable; then the rest of them may leave. They
  /// are all that the core decided since the last call.
  void write(const Actions& actions, std::int64_t unix_ms);
  /// For when nothing waits.
  void rest() { store_.rest(); }

  /// Drops the oldest segment if it is to go: beyond what is kept, or if there is no room for the
  /// next one. `needed_from`: the log is needed from there on. Reads what it drops (some 50 ms) if
  /// there are dead letters in it: they leave the list.
  void retain(const Retention& retention, std::uint64_t needed_from, std::int64_t unix_ms);

  /// Batches from the one that holds `offset` on, at most `bytes_max` (but at least one).
  /// Errors: another log, a cursor beyond the head or below kept_from(), one of other records.
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
  /// How the tasks of a project ended, between these offsets, in the log's order. If it ended
  /// early: the offset to go on from.
  std::optional<std::uint64_t> visit_project(std::string_view project, std::uint64_t from,
                                             std::uint64_t last, const OnRecord& on_record,
                                             const IsLate& is_late) const;
  /// The first offset at or after which every result lies that finished at or after this time.
  std::uint64_t offset_at(std::int64_t unix_ms) const;

  /// No record that is kept was taken before this time, Unix milliseconds; zero if that is not
  /// known.
  std::int64_t oldest_unix_ms() const;
  /// The offset of the oldest result that is kept.
  std::uint64_t kept_from() const;
  /// The clock of the log: it never goes back, whatever the machine's does.
  std::int64_t unix_ms() const { return unix_ms_; }
  bool is_full() const;
  /// Of what is kept, without what is set aside.
  std::uint64_t log_bytes() const { return store_.bytes_below(UINT32_MAX); }
  std::uint64_t disk_bytes() const { return store_.disk_bytes(); }
  std::uint64_t syncs() const { return store_.syncs(); }

 private:
  /// A checkpoint under way.
  struct Checkpoint {
    std::uint32_t segment = 0;  // Where it begins.
    std::uint64_t begun = 0;    // What written_ was.
    std::uint64_t bytes = 0;    // Its own, so far.
    SavePlace place;
  };

  storage::Position append(std::uint32_t type, std::string_view payload,
                           std::string_view rest = {});
  storage::Position append(LogRecord type, std::string_view payload, std::string_view rest = {});
  void append(const AppendBatch& batch);
  void append(const AppendDiscard& discard);
  void append(const AppendRun& run);
  void append(const AppendIntroduction& introduction);
  void append_head(std::int64_t since_unix_ms);
  void begin_checkpoint();
  void checkpoint(std::uint64_t bytes);
  void end_checkpoint(std::uint32_t segment);

  void load(storage::Position at, std::uint32_t type, std::string_view payload);
  bool load_batch(storage::Position at, std::string_view payload);
  bool load_introduction(std::string_view payload);
  bool load_discard(std::string_view payload);
  bool load_head(storage::Position at, std::string_view payload);
  bool load_checkpoint(storage::Position at, std::string_view payload);
  bool load_checkpoint_end(std::string_view payload);
  bool is_next(std::uint64_t offset);
  void discard_letters_in(std::uint32_t segment);
  void load_older_pages();
  void keep_pages();
  void drop_pages(std::uint32_t segment);
  void keep_pages(const LogIndex& index, std::uint32_t segment);

  /// Hears a batch; false ends the visit.
  using OnBatch = std::function<bool(std::string_view encoded, const protocol::ResultBatch& batch)>;
  /// Those from the one on that holds `offset`.
  void visit_batches(std::uint64_t offset, const OnBatch& on_batch) const;
  /// Those of one page of the index.
  void visit_page(const Page& page, const OnBatch& on_batch) const;

  storage::Directory& directory_;
  std::uint64_t segment_bytes_;
  bool has_room_ = true;  // For the next segment.
  std::int64_t unix_ms_;
  std::optional<Settler> core_;
  bool is_head_known_ = false;  // While it is loaded.
  std::uint64_t logged_ = 0;    // The offset behind the last batch that was appended.
  LogIndex index_;
  std::uint32_t first_loaded_ = UINT32_MAX;  // The first segment that was read at the start.
  std::uint32_t pages_kept_below_ = 0;       // The segments whose pages are in files.
  std::uint64_t written_ = 0;  // Bytes of all records since the last whole checkpoint began.
  std::optional<Checkpoint> checkpoint_;
  std::uint32_t checkpoint_segment_ = 0;  // Where the last whole one begins; zero: there is none.
  std::uint64_t checkpoint_bytes_ = 0;    // How large that is.
  storage::Store store_;
};

}  // namespace eole::sink
