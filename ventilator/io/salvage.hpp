#pragma once
#include "common/base/seq_ranges.hpp"
#include "common/storage/salvage.hpp"

namespace eole::ventilator {

struct SalvagedJournal {
  std::uint64_t records = 0;
  std::uint64_t tasks = 0;
  /// Numbers that the journal gave out and whose tasks cannot be read any more. Those that the
  /// sink's log does not know as settled end as dead letters.
  SeqRanges lost;
  std::vector<storage::Loss> losses;
};

/// Writes a new journal into the empty directory `to` with every record of `from` that is whole.
/// Throws StorageFailure, also if no record says whose journal it is.
SalvagedJournal salvage_journal(storage::Directory& from, storage::Directory& to,
                                storage::StoreOptions options);

/// The same between directories of the file system, and says what came of it.
void salvage(const std::string& from, const std::string& to, bool is_json);

}  // namespace eole::ventilator
