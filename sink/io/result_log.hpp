#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/protocol/messages.hpp"
#include "common/storage/store.hpp"
#include "sink/core/retention.hpp"
#include "sink/core/settler.hpp"
#include "sink/io/log_news.hpp"
#include "sink/io/log_record.hpp"

namespace eole::sink {

/// The sink's log on disk, as it is written: who reads it is the history, by news of what is
/// durable. A start reads the last checkpoint and what lies behind it. One thread.
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

  /// What became durable since the last call, for the history.
  LogNews take_news();

  /// The oldest segment, if it is to go: beyond what is kept, or if there is no room for the next
  /// one. `needed_from`: the log is needed from there on; `held_from`: groups hold it from there
  /// on. The history must let go of it first.
  std::optional<std::uint32_t> segment_to_drop(const Retention& retention,
                                               std::uint64_t needed_from, std::int64_t unix_ms,
                                               std::uint64_t held_from);
  /// The offset behind the last result of the oldest segment.
  std::uint64_t oldest_segment_end() const;
  /// Drops the segment, if it is the oldest, and takes its letters from the list.
  void drop(std::uint32_t segment, const std::map<Origin, SeqRanges>& letters);

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
  std::uint64_t free_bytes() const { return store_.free_bytes(); }

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
  void append(const AppendGroups& groups);
  void append(const AppendShare& share);
  void append(const AppendCommit& commit);
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
  void load_older_pages();
  void begin_segment(std::uint32_t segment, const SegmentHead& head);
  void add(storage::Position at, const Summary& summary);

  storage::Directory& directory_;
  std::uint64_t segment_bytes_;
  bool has_room_ = true;  // For the next segment.
  std::int64_t unix_ms_;
  std::optional<Settler> core_;
  bool is_head_known_ = false;  // While it is loaded.
  std::uint64_t logged_ = 0;    // The offset behind the last batch that was appended.
  std::map<std::uint32_t, SegmentHead> heads_;     // Of the segments …
  std::map<std::uint32_t, std::uint64_t> firsts_;  // … and the offsets of their first results.
  LogNews news_;
  std::uint32_t first_loaded_ = UINT32_MAX;  // The first segment that was read at the start.
  std::uint64_t written_ = 0;  // Bytes of all records since the last whole checkpoint began.
  std::optional<Checkpoint> checkpoint_;
  std::uint32_t checkpoint_segment_ = 0;  // Where the last whole one begins; zero: there is none.
  std::uint64_t checkpoint_bytes_ = 0;    // How large that is.
  storage::Store store_;
};

}  // namespace eole::sink
