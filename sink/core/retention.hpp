#pragma once
#include <cstdint>

namespace eole::sink {

/// How much of the log is kept, if nobody needs more.
struct Retention {
  std::uint64_t days = 30;
  std::uint64_t bytes = 10'000'000'000;
};

/// The oldest segment of the log, and what decides whether it goes.
struct OldSegment {
  std::uint64_t end = 0;           // The offset behind its last result.
  std::int64_t ended_unix_ms = 0;  // No record in it was taken later.
  std::uint64_t needed_from = 0;   // Somebody needs the log from there on.
  std::uint64_t held_from = UINT64_MAX;  // Groups hold it from there on.
  std::uint64_t log_bytes = 0;     // Of the whole log.
  std::int64_t unix_ms = 0;        // The time.
  bool is_disk_full = false;
};

/// Groups hold the log up to so many times as much as is kept: a bound for those that are slow.
constexpr std::uint64_t kHeldTimes = 2;

/// Whole segments go, the oldest first: beyond the limits, or if the disk is full of them; never
/// what somebody needs, and what a group holds only if the disk is full or the log kHeldTimes as
/// large as it is to be (ring rule G5).
bool is_to_drop(const OldSegment& segment, const Retention& retention);

}  // namespace eole::sink
