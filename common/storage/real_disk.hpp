#pragma once
#include <memory>
#include <string>

#include "common/storage/disk.hpp"

namespace eole::storage {

/// Opens (or makes, mode 0700) a directory on the real disk and locks it for this process.
/// Throws StorageFailure: not writable, or another process holds the lock.
std::unique_ptr<Directory> open_directory(const std::string& path);

}  // namespace eole::storage
