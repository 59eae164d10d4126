#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "common/base/seq_queue.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/storage/store.hpp"

namespace eole::ventilator {

/// The specs of tasks of one class that were accepted together and follow one another.
struct Specs {
  std::string_view task_class;         // Encoded; holds until the next call.
  std::string_view bytes;              // One after the other; likewise.
  std::uint32_t count = 0;  // So many of those asked for lie together. Zero: settled, or lost.
  std::int64_t submitted_unix_ms = 0;
};

/// Where in the journal the tasks lie that are not settled: 40 bytes a submit, and twice as much
/// for a run of tasks that were written again. One thread.
class TaskPlaces {
 public:
  /// A record of type kTasks or kMoved lies at `at`, with the tasks from `first` on.
  void put(Seq first, std::uint32_t count, storage::Position at, std::size_t bytes,
           std::int64_t submitted_unix_ms);
  void put_moved(Seq first, std::uint32_t count, storage::Position at, std::size_t bytes);
  /// The groups of the record at `first` are wanted soon: keeps them if there is room.
  void keep(Seq first, Bytes groups);

  /// These were settled; `settled` has all that are.
  void settle(const SeqRanges& news, const SeqRanges& settled);
  /// After loading: counts what still lives.
  void count_live(const SeqRanges& settled);
  /// Its record is there; all others of it may be settled.
  Specs specs(Seq first, std::uint32_t count, const storage::Store& store);

  /// Bytes of tasks that are not settled: of all, and of the segments below `segment`.
  std::uint64_t live_bytes() const { return live_bytes_; }
  std::uint64_t live_bytes_below(std::uint32_t segment) const;
  /// The oldest segment with such a task; nothing if there is none.
  std::optional<std::uint32_t> oldest_segment() const;

  /// First and last task of a record in `segment`, the oldest; nothing if it has none any more.
  std::optional<std::pair<Seq, Seq>> record_in(std::uint32_t segment) const;
  /// Its tasks lie elsewhere now.
  void remove(Seq first);

 private:
  struct Entry {
    std::uint32_t count = 0;
    std::uint32_t live = 0;  // So many are not settled.
    std::uint32_t bytes = 0;
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    std::int64_t submitted_unix_ms = 0;  // Of tasks that were moved, their record says it.
  };
  /// The groups of a record, and where the reading of them has come to.
  struct Cached {
    Cached() = default;
    Cached(Bytes record, std::size_t groups_at, Seq first_task);
    void rewind();
    /// The group at `end` is the one that is read.
    void enter_group();

    Bytes payload;
    std::size_t groups = 0;  // Where the first one starts.
    Seq first = 0;           // Its first task.
    Seq next = 0;            // The spec at `offset` is this task's …
    std::size_t offset = 0;
    Seq last = 0;              // … of a group up to this one …
    std::size_t end = 0;       // … which ends here …
    std::size_t class_at = 0;  // … and has its class there.
    std::size_t class_bytes = 0;
  };
  using Entries = SeqQueue<Entry>;

  Entry entry(std::uint32_t count, storage::Position at, std::size_t bytes,
              std::int64_t submitted_unix_ms);
  void set_live(Entry& entry, std::uint32_t live);
  void recount(Seq first, Entry& entry, const SeqRanges& settled);
  void pop_settled();
  const Entries::Entry* find(Seq seq) const;
  const std::pair<const Seq, Entry>* find_moved(Seq seq) const;
  Cached& read(Seq first, const Entry& entry, const storage::Store& store);
  Cached& read_moved(Seq first, const Entry& entry, const storage::Store& store);

  Entries index_;  // By first task, as they were accepted; so by segment too.
  std::map<Seq, Entry> moved_;
  std::set<std::pair<std::uint32_t, Seq>> moved_in_;  // Segment and first task of those.
  std::map<std::uint32_t, std::uint64_t> live_;       // Segment -> bytes.
  std::uint64_t live_bytes_ = 0;
  SeqQueue<Cached> cache_;  // By first task of a record in index_.
  std::size_t cache_bytes_ = 0;
  Cached moved_cache_;          // Of one record in moved_ …
  storage::Position moved_at_;  // … that lies here.
};

}  // namespace eole::ventilator
