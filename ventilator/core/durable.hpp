#pragma once
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "ventilator/core/answers.hpp"
#include "ventilator/core/notes.hpp"
#include "ventilator/core/parts.hpp"
#include "ventilator/core/projects.hpp"
#include "ventilator/core/schedules.hpp"
#include "ventilator/core/task_class.hpp"
#include "ventilator/core/wishes.hpp"

namespace eole::ventilator {

/// What the journal knows: enough to start from. Each part saves and loads records of its own; the
/// identity and `last` are in the journal's records of starts and snapshots.
struct Durable {
  Origin origin = 0;
  std::uint32_t start = 0;  // This start's number.
  Seq last = 0;             // The highest sequence number ever given out.
  SeqRanges settled;
  Notes notes;  // Of tasks that are not settled.
  std::set<Seq> cancelled;
  SeqRanges lost;  // Damage took their tasks: they end as dead letters unless they are settled.
  TaskClasses classes;  // Of tasks that are not settled: from their own records.
  /// A task with conditions.
  struct Conditional {
    Seq seq = 0;
    std::int64_t accepted_unix_ms = 0;
    Bytes conditions;
  };
  std::vector<Conditional> conditional;  // From their records; some may be settled, or be twice.
  Answers answers;
  Wishes wishes;
  Projects projects;
  Schedules schedules;        // Of the wishes, once those are known.
  bool is_power_cut = false;  // The machine restarted: notes may be missing.

  /// It was accepted, in this start or an earlier one.
  bool is_known(const TaskId& id) const {
    return id.origin == origin && id.seq >= 1 && id.seq <= last;
  }

  /// Appends what is left of place.part: parts.hpp.
  void save(SavePlace& place, Bytes& out) const;
  /// Takes in a record of a part; false if it makes no sense. What is settled is dropped at once.
  bool load(Part part, std::string_view payload);
  /// Takes in classes and conditions of a record of tasks, from `first` on: when each was accepted,
  /// or one time for all `count`. False if they make no sense.
  bool load_groups(Seq first, std::uint64_t count, std::string_view groups,
                   std::span<const std::int64_t> accepted_unix_ms = {});
  /// A beat of this schedule has become a task.
  void pass_beat(const std::string& schedule, std::int64_t beat);
  /// Once all is loaded: drops what came of a settled task after that was known, and orders what
  /// came in another order.
  void drop_settled();
};

/// Appends the ranges at or behind place.number, as many as a record takes.
void save_ranges(const SeqRanges& ranges, SavePlace& place, Bytes& out);

}  // namespace eole::ventilator
