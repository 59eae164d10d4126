#pragma once
#include <cstdint>

namespace eole::ventilator {

/// What becomes of a task that came back from its worker.
enum class Fate : std::uint8_t {
  kAgain,
  kAlone,  // Again, in a worker that has nothing else (ring rule V7).
  kDead,
};

/// `attempt`: how many were begun, and counted. `is_feared`: a worker was lost that had it.
Fate decide(std::uint16_t attempt, std::uint8_t attempts_max, bool is_feared);

}  // namespace eole::ventilator
