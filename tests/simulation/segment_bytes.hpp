#pragma once
#include <cstdint>

namespace eole::simulation {

/// Small, so that segments begin and end within a run.
inline constexpr std::uint64_t kSegmentBytes = 16384;
/// Of the log.
inline constexpr std::uint64_t kKeptSegments = 3;

}  // namespace eole::simulation
