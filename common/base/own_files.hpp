#pragma once
#include <cstdint>

namespace eole {

/// Keeps a quarter of the descriptors that this process may have for what it opens itself:
/// connections, which libzmq takes as they come, get no more than the rest. Returns how many it may
/// have.
std::uint64_t reserve_own_files();

/// While one lives, the process may use what is kept. Costs two system calls. Thread-safe.
class OwnFiles {
 public:
  OwnFiles();
  ~OwnFiles();
  OwnFiles(const OwnFiles&) = delete;
  OwnFiles& operator=(const OwnFiles&) = delete;
};

}  // namespace eole
