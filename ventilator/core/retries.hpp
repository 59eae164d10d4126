#pragma once
#include <cstdint>
#include <string_view>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::ventilator {

/// Why a task came back.
enum class Cause : std::uint8_t {
  kFailed,    // The attempt ran, and failed.
  kLost,      // Its worker may have lost it.
  kReturned,  // It never began: no attempt is used up.
};

/// How the last attempt of a task ended.
struct AttemptEnd {
  TaskId id = {};
  std::uint16_t attempt = 0;  // How many were begun, and count.
  Cause cause = Cause::kFailed;
  std::string_view failure = {};     // Of kFailed: common/protocol/causes.hpp.
  std::uint32_t retry_after_ms = 0;  // Not sooner, says who failed.
  bool is_feared = false;            // A worker was lost that had it.
  std::uint16_t returns = 0;         // How often one gave it back unasked.
};

/// The most attempts; `attempts_max`: where the class says none.
inline std::uint32_t attempts_of(const protocol::TaskClass& task_class, std::uint8_t attempts_max) {
  return task_class.attempts_max != 0 ? task_class.attempts_max : attempts_max;
}

/// What becomes of it.
struct Decision {
  enum class Fate : std::uint8_t {
    kAgain,
    kAlone,  // Again, in a worker that has nothing else (ring rule V7).
    kDead,
    kUnwanted,  // Dead, too, with attempts left: such a failure is not tried again.
  };
  Fate fate = Fate::kAgain;
  Duration pause{};  // Before the next attempt.
  bool operator==(const Decision&) const = default;
};

/// What a class leaves open. A failed attempt is followed by a pause: any time up to 0.25 s, 0.5 s,
/// 1 s … 60 s, so that those who failed together do not come back together; by just that long a
/// return that nobody asked for, from the second on. A lost worker's task goes at once.
constexpr Duration kPauseFirst = 250ms;
constexpr Duration kPauseMax = 60s;

/// `attempts_max`: where the class says none. The pause follows from the task and the attempt, so
/// that whoever decides again decides the same.
Decision decide(const protocol::TaskClass& task_class, std::uint8_t attempts_max,
                const AttemptEnd& end);

}  // namespace eole::ventilator
