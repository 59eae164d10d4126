#pragma once
#include <optional>

namespace eole::picture {

/// The greatest quality from 1 to `most` for which `fits(quality)` is true, if one is: each step
/// halves what is left, and what fits at one quality fits at all below. The last one that was asked
/// and was true is the one that is returned.
template <typename Fits>
std::optional<int> best_quality(int most, const Fits& fits) {
  if (fits(most)) return most;
  int good = 0;
  for (int bad = most; bad - good > 1;) {
    const int middle = (good + bad) / 2;
    (fits(middle) ? good : bad) = middle;
  }
  if (good == 0) return std::nullopt;
  return good;
}

}  // namespace eole::picture
