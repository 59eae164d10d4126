#pragma once
#include <cstdint>
#include <string>

#include "common/base/time.hpp"

/// What only the operating system knows. Cores never include this.
namespace eole::process {

/// The monotonic clock.
TimePoint now();
/// Milliseconds since 1970 in UTC: for records that people read, never for a decision.
std::int64_t unix_ms();
/// Random bits from the kernel.
std::uint64_t random_u64();
/// Names this start of the machine: another one after a power cut. Empty if it is not known.
std::string boot_id();
/// Open files of a server: about five for each worker (pipe, monitor, connections).
constexpr std::uint64_t kFilesWanted = 4096;
std::string host_name();

/// Keeps the calling thread, and those that it starts, to one of the cores that it may use: the
/// `number`-th, from 1 on and around again. Zero: changes nothing.
void keep_to_core(std::uint32_t number);
/// Lets the calling thread use every core again that it had before: for what a task runs.
void leave_core();

/// Makes SIGTERM and SIGINT readable from a file descriptor instead of deadly.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  int fd() const { return fd_; }
  /// How many came since the last call.
  int take();

 private:
  int fd_;
};
/// Gives a child process the signals that StopSignal took away.
void unblock_signals();

}  // namespace eole::process
