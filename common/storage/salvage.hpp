#pragma once
#include <vector>

#include "common/storage/store.hpp"

namespace eole::storage {

/// A stretch of a store that could not be read.
struct Loss {
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Shows every record of a damaged store that is still whole, in order, and says what is not.
/// Changes nothing. Throws StorageFailure if the directory holds no store at all.
std::vector<Loss> read_damaged(Directory& directory, const RecordVisitor& visit);

/// What the store in `directory` is for, from the first segment header that can be read.
StoreKind kind_of(Directory& directory);

}  // namespace eole::storage
