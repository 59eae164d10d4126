#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/base/within.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/partition.hpp"
#include "common/storage/store_reader.hpp"
#include "sink/core/settler.hpp"
#include "sink/io/compacted.hpp"
#include "sink/io/log_news.hpp"

namespace eole::sink {

constexpr std::uint64_t kLagRecordsMax = 200'000;  // Counted one by one: some 50 ms.

/// How far readers are behind.
struct Lag {
  struct Partition {
    std::uint64_t records = 0;  // From the cursor on, that are kept.
    std::uint64_t ahead = 0;    // From where it is wanted to the cursor.
    std::int64_t oldest_unix_ms = 0;  // When the first of them finished; zero: not looked at.
    bool is_exact = true;
  };
  std::vector<Partition> partitions;
  std::uint64_t records = 0;
  std::uint64_t ahead = 0;
  std::int64_t oldest_unix_ms = 0;
  bool is_exact = true;
};

/// Reads the log while it is written to: by files and an index of its own, which are as far as the
/// news that it was given. One thread, which need not be the log's.
class History {
 public:
  /// `directory`: the log's; it outlives this.
  /// `compact`: projects of which the last record of each key is kept for good.
  explicit History(storage::Directory& directory, std::set<std::string> compact = {})
      : directory_(directory), reader_(directory), compacted_(directory, std::move(compact)) {}
  /// All that was committed since the last news, in order.
  void take(LogNews&& news);
  /// Reads the segments up to this one no more: they may be removed, and what is to be left of them
  /// is kept elsewhere. Their letters that are on the list.
  std::map<Origin, SeqRanges> release(std::uint32_t segment);

  std::uint64_t log() const { return log_; }
  std::uint64_t head() const { return head_; }
  /// The offset of the oldest result that is kept.
  std::uint64_t kept_from() const;
  /// Of its disk.
  std::uint64_t free_bytes() const { return directory_.free_bytes(); }

  /// Batches from the one that holds `offset` on, at most `bytes_max` (but at least one); within a
  /// prefix, or of a pattern, what there is of it in so much of the log.
  /// Errors: another log, a cursor beyond the head or below kept_from(), one of other records, no
  /// pattern.
  Expected<protocol::Records> read(const protocol::Read& query);
  /// What is left below kept_from() of a project that is compacted, from an offset on.
  struct Left {
    std::uint64_t from = 0;  // The last record of each key is there from here on.
    std::uint64_t next = 0;  // To go on from; kept_from(): the log has the rest.
    Bytes batches = {};      // Each after its size as u32; a record each.
  };
  Left left_of(std::string_view project, std::uint64_t offset, std::size_t bytes_max);
  /// What `origin` must know of the log from `offset` on, up to a bounded size.
  Expected<protocol::Settled> follow(const protocol::Follow& query);
  /// The encoded batch and the offset of a task's final record, or of its last one.
  struct Found {
    Bytes batch;
    std::uint64_t offset = 0;
  };
  std::optional<Found> find(const TaskId& id, const KnownTask& known);
  /// Hears a record of the log, and what batch has it; false ends the visit.
  using OnRecord = std::function<bool(const protocol::ResultRecord& result,
                                      const protocol::ResultBatch& batch, std::uint64_t offset)>;
  /// Asked now and then: true ends a visit early.
  using IsLate = std::function<bool()>;
  /// The dead letters that nobody discarded, from `from` on, oldest first. If that took too long:
  /// the offset to go on from.
  std::optional<std::uint64_t> visit_dead(std::uint64_t from, const OnRecord& on_record,
                                          const IsLate& is_late);
  /// Every record of a task before the offset `before`, newest first. If it ended early: where to
  /// go on with `before`.
  std::optional<std::uint64_t> visit_attempts(const TaskId& id, const KnownTask& known,
                                              std::uint64_t before, const OnRecord& on_record,
                                              const IsLate& is_late);
  /// How the tasks of a project ended, between these offsets, in the log's order. If it ended
  /// early: the offset to go on from.
  std::optional<std::uint64_t> visit_project(std::string_view project, std::uint64_t from,
                                             std::uint64_t last, const OnRecord& on_record,
                                             const IsLate& is_late);
  /// What lies between cursors, one for each partition, and the offset `to`: counted one by one as
  /// far as kLagRecordsMax and `is_late` allow, the rest is taken for spread evenly. Without
  /// `by_partition` the sum alone is exact where that is cheaper.
  Lag lag(const std::vector<std::uint64_t>& cursors, std::uint64_t to, bool by_partition,
          const Within& within, const IsLate& is_late);
  /// The first offset at or after which every result lies that finished at or after this time.
  std::uint64_t offset_at(std::int64_t unix_ms);

 private:
  /// Hears a batch; false ends the visit.
  using OnBatch = std::function<bool(std::string_view encoded, const protocol::ResultBatch& batch)>;
  /// Those from the one on that holds `offset`.
  void visit_batches(std::uint64_t offset, const OnBatch& on_batch);
  Expected<void> read_wanted(const protocol::Read& query, protocol::Records& records);
  /// Those of one page of the index.
  void visit_page(const Page& page, const OnBatch& on_batch);

  storage::Directory& directory_;
  storage::StoreReader reader_;
  std::uint64_t log_ = 0;
  std::uint64_t head_ = 0;
  LogIndex index_;
  Letters letters_;                     // That are listed.
  Compacted compacted_;
  std::uint32_t pages_kept_below_ = 0;  // The segments whose pages are in files.
};

}  // namespace eole::sink
