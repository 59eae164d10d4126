#pragma once
#include "common/storage/salvage.hpp"

namespace eole::sink {

struct SalvagedLog {
  std::uint64_t results = 0;
  /// Offsets of the old log that are gone: first and last.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> lost;
  std::vector<storage::Loss> losses;
};

/// Writes a new log into the empty directory `to` with every result of `from` that is whole. It is
/// another log: offsets are dense again, and the cursors of the old one are refused by name.
/// Throws StorageFailure.
SalvagedLog salvage_log(storage::Directory& from, storage::Directory& to,
                        storage::StoreOptions options);

/// The same between directories of the file system, and says what came of it.
void salvage(const std::string& from, const std::string& to, bool is_json);

}  // namespace eole::sink
