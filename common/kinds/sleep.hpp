#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr Argument kSleepArguments[] = {
    {"seconds", Type::kNumber, "how long", true, {}, 0, kSecondsMax},
};

inline constexpr Kind kSleep{
    .name = "sleep",
    .about = "Wait. For trying things out.",
    .result = "the same",
    .runner = Runner::kThread,
    .arguments = kSleepArguments,
    .per_word = "seconds",
};

}  // namespace eole::kinds
