#pragma once
#include <cstdint>

namespace eole::simulation {

/// Small, so that segments begin and end within a run.
inline constexpr std::uint64_t kSegmentBytes = 16384;

}  // namespace eole::simulation
