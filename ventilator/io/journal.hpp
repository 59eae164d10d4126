#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/storage/store.hpp"
#include "ventilator/core/core.hpp"
#include "ventilator/io/journal_format.hpp"
#include "ventilator/io/journal_tasks.hpp"

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
  /// There is more to write: another write() and collect() go on with it, also without actions.
  bool is_busy() const { return snapshot_.has_value() || is_moving_due(); }
  /// For when nothing waits.
  void rest() { store_.rest(); }
  /// Gives back the segments of which nothing is needed; call it when the actions have left. What
  /// waits for long must not keep a segment: when more is kept in vain than is needed, and a few
  /// segments, the tasks of the oldest are written again at the end, some of them in each call.
  void collect(const SeqRanges& settled);

  Specs specs(Seq first, std::uint32_t count) { return tasks_.specs(first, count, store_); }

  /// No room for new tasks: the next segment cannot be set aside. What this one still has is for
  /// all that settles the old ones.
  bool is_full() const;
  std::uint64_t disk_bytes() const { return store_.disk_bytes(); }
  std::uint64_t syncs() const { return store_.syncs(); }
  std::uint64_t free_bytes() const { return store_.free_bytes(); }

 private:
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
  Seq last_told() const;
  void snapshot(const Save& save, std::uint64_t bytes);
  void begin_snapshot(std::uint32_t segment);
  void end_snapshot();
  void load(storage::Position at, std::uint32_t type, std::string_view payload);
  void load(storage::Position at, const TasksRecord& tasks, std::uint64_t bytes);
  void remember_answer(const TasksRecord& tasks);
  bool is_moving_due() const;
  void move_some(const SeqRanges& settled);
  bool has_room(std::uint64_t bytes) const;

  std::uint64_t segment_bytes_;
  Durable recovered_;
  StartRecord start_;  // This start's; while loading, the last one's.
  TaskPlaces tasks_;
  SeqRanges settled_;  // Of this turn.
  Seq last_ = 0;
  std::uint32_t identity_segment_ = 0;  // The last one that says whose it is.
  std::uint64_t written_ = 0;  // Bytes of all records since the last whole snapshot began.
  std::optional<Snapshot> snapshot_;
  std::uint32_t snapshot_segment_ = 0;  // Where the last whole one begins; zero: there is none.
  std::uint64_t snapshot_bytes_ = 0;    // How large that is.
  storage::Store store_;
};

}  // namespace eole::ventilator
