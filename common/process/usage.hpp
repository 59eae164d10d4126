#pragma once
#include <cstdint>

namespace eole::process {

/// What this process has used so far, and holds.
struct Usage {
  double cpu_seconds = 0;  // All its threads, its own and the kernel's for it.
  std::int64_t memory_bytes = 0;  // Resident; zero if /proc does not say.
  double up_seconds = 0;          // Since it began.
};
Usage usage();

}  // namespace eole::process
