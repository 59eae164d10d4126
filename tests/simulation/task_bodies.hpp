#pragma once
#include <string_view>

namespace eole::simulation {

/// How the arguments of a simulated task begin tells what it does to its worker.
inline constexpr std::string_view kPoison = "poison";
inline constexpr std::string_view kFailing = "failing";
inline constexpr std::string_view kMaking = "making";  // An artifact.

}  // namespace eole::simulation
