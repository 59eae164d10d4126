#include "common/process/usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

namespace eole::process {

namespace {
const auto kBegun = std::chrono::steady_clock::now();
}

Usage usage() {
  Usage out;
  out.up_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - kBegun).count();
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  for (const auto& time : {used.ru_utime, used.ru_stime})
    out.cpu_seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  std::ifstream statm("/proc/self/statm");
  std::int64_t all = 0;
  std::int64_t resident = 0;
  if (statm >> all >> resident) out.memory_bytes = resident * ::sysconf(_SC_PAGESIZE);
  return out;
}

}  // namespace eole::process
