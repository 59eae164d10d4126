#pragma once
#include <cstdlib>
#include <string_view>

namespace eole {

/// Deliberate faults, to prove that the tests find them: tests/planted. They exist only in a build
/// with EOLE_PLANTED, where the environment variable EOLE_PLANT names the one that is active.
#ifdef EOLE_PLANTED
inline bool planted(std::string_view fault) {
  static const char* const chosen = std::getenv("EOLE_PLANT");
  return chosen != nullptr && fault == chosen;
}
#else
constexpr bool planted(std::string_view) { return false; }
#endif

}  // namespace eole
