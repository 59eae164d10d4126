#pragma once
#include <cstdint>

#include "common/base/time.hpp"

namespace eole::ventilator {

/// Why a task came back.
enum class Cause : std::uint8_t {
  kFailed,    // The attempt ran, and failed.
  kLost,      // Its worker may have lost it.
  kReturned,  // It never began: no attempt is used up.
};

/// What becomes of it.
struct Decision {
  enum class Fate : std::uint8_t {
    kAgain,
    kAlone,  // Again, in a worker that has nothing else (ring rule V7).
    kDead,
  };
  Fate fate = Fate::kAgain;
  Duration pause{};  // Before the next attempt.
  bool operator==(const Decision&) const = default;
};

/// A failed attempt is followed by a pause, which doubles with each: 0.25 s, 0.5 s, 1 s … 60 s; so
/// is a return that nobody asked for, from the second on. A lost worker's task goes at once.
constexpr Duration kPauseFirst = 250ms;
constexpr Duration kPauseMax = 60s;

/// `attempt`: how many were begun, and count. `is_feared`: a worker was lost that had it.
/// `returns`: how often one gave it back unasked.
Decision decide(std::uint16_t attempt, std::uint8_t attempts_max, Cause cause, bool is_feared,
                std::uint16_t returns = 0);

}  // namespace eole::ventilator
