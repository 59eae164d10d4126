#pragma once
#include <cstdint>

namespace eole::sink {

/// The records of the log; those of the parts of a checkpoint are Part. docs/storage.md has their
/// layouts.
enum class LogRecord : std::uint32_t {
  kIntroduction = 1,
  kBatch,
  kDiscard,
  kRun,
  kSegment,        // The first of each segment.
  kCheckpoint,     // From here on all that is known is said, one record after the other …
  kCheckpointEnd,  // … and here it has been: nothing before kCheckpoint is needed to know it.
  kCommit = 64,    // Behind all parts.
  kShare,
};

}  // namespace eole::sink
