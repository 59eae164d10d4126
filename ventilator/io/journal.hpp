#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/seq_queue.hpp"
#include "common/storage/store.hpp"
#include "ventilator/core/core.hpp"
#include "ventilator/io/journal_format.hpp"

namespace eole::ventilator {

/// The ventilator's durable half: every accepted task until it is settled, and what a restart
/// must know. Holds some 40 bytes of memory per submit, not the tasks. One thread.
class Journal {
 public:
  /// Opens the journal, and counts and writes this start; nothing of it may be used before.
  Journal(storage::Directory& directory, storage::StoreOptions options, std::string boot_id);

  /// What was found; moves it out.
  Durable take_recovered() { return std::move(recovered_); }

  /// Gives the next record of a snapshot of what the core knows: Core::save.
  using Save = std::function<std::optional<PartRecord>(SavePlace&)>;

  /// Writes what these actions ask for. When it returns, the rest of them may leave: what must
  /// be durable before, is. Takes the bytes of the tasks out of the actions. If a snapshot is due,
  /// writes some of it, at least a record and about as much as the actions are.
  void write(Actions& actions, const Save& save);
  /// A snapshot is under way: write() once more goes on with it, also without actions.
  bool is_busy() const { return snapshot_.has_value(); }
  /// For when nothing waits.
  void rest() { store_.rest(); }
  /// Gives back the segments of which no task is needed; call it when the actions have left.
  void collect(const SeqRanges& settled);

  bool has(Seq seq) const { return moved_.contains(seq) || find(seq) != nullptr; }
  /// The specs of accepted, unsettled tasks that follow one another.
  struct Specs {
    std::string_view bytes;   // One after the other; holds until the next call.
    std::uint32_t count = 0;  // Of those asked for, so many lie together: one at least.
    std::int64_t submitted_unix_ms = 0;
  };
  Specs specs(Seq first, std::uint32_t count);

  /// No room for new tasks, though still for all that settles the old ones.
  bool is_full() const;
  std::uint64_t disk_bytes() const { return store_.disk_bytes(); }
  std::uint64_t syncs() const { return store_.syncs(); }

 private:
  struct Entry {
    std::uint32_t count = 0;
    std::uint32_t bytes = 0;  // Of the record.
    storage::Position at;
    std::int64_t submitted_unix_ms = 0;
  };
  struct Cached {
    Bytes payload;
    std::size_t specs = 0;  // Where the first spec starts.
    Seq next = 0;           // The spec at `offset` is this task's.
    std::size_t offset = 0;
  };

  /// A snapshot under way.
  struct Snapshot {
    std::uint32_t segment = 0;  // Where it begins.
    std::uint64_t begun = 0;    // What written_ was.
    std::uint64_t bytes = 0;    // Its own, so far.
    SavePlace place;
  };

  storage::Position append(std::uint32_t type, std::string_view payload,
                           std::string_view rest = {});
  storage::Position append(JournalRecord type, std::string_view payload,
                           std::string_view rest = {});
  void append(JournalTasks& tasks);
  void snapshot(const Save& save, std::uint64_t bytes);
  void begin_snapshot(std::uint32_t segment);
  void end_snapshot();
  void load(storage::Position at, std::uint32_t type, std::string_view payload);
  void load(storage::Position at, const TasksRecord& tasks, std::uint64_t bytes);
  using Entries = SeqQueue<Entry>;
  const Entries::Entry* find(Seq seq) const;
  Cached& cache(Seq first, const Entry& entry);
  Cached& keep(Seq first, Bytes payload, std::size_t specs);
  Specs moved_spec(Seq seq, storage::Position at);
  void move_live(std::uint32_t segment, const SeqRanges& settled);
  void drop_oldest();

  storage::Directory& directory_;
  std::uint64_t segment_bytes_;
  Durable recovered_;
  StartRecord start_;  // This start's; while loading, the last one's.
  Entries index_;      // By first task of the record.
  std::map<Seq, storage::Position> moved_;
  SeqQueue<Cached> cache_;  // By first task of the record.
  std::size_t cache_bytes_ = 0;
  Bytes moved_payload_;
  storage::Position moved_read_;  // Whose payload that is.
  Seq last_ = 0;
  std::uint64_t written_ = 0;  // Bytes of all records since the last whole snapshot began.
  std::optional<Snapshot> snapshot_;
  std::uint32_t snapshot_segment_ = 0;  // Where the last whole one begins; zero: there is none.
  std::uint64_t snapshot_bytes_ = 0;    // How large that is.
  bool is_collection_due_ = true;
  storage::Store store_;
};

}  // namespace eole::ventilator
