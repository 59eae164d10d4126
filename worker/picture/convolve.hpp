#pragma once
#include <cstdint>
#include <vector>

#include "worker/picture/picture.hpp"

namespace eole::picture {

/// What each target sample of a row, or of a column, is made of: `count` weights of the samples
/// from `first` on. Whole numbers of 16 bits whose sum is 1 << shift.
struct Taps {
  int count = 0;
  int padded = 0;  // Weights for each target sample: the count, and zeros.
  int shift = 0;
  std::vector<int> first;
  std::vector<std::int16_t> weights;

  int targets() const { return static_cast<int>(first.size()); }
  bool operator==(const Taps&) const = default;
};

/// Lanczos over three lobes, as Pillow's: makes `to` samples (the last one may be a part) of
/// `length` samples from `begin` on, of the `source` that there are.
Taps lanczos(int source, double begin, double length, double to);
/// A blur with this standard deviation, in samples.
Taps gaussian(int source, double sigma);

/// Down, and then across: each to whole levels. With the processor's vectors or without them: to
/// the same samples.
Plane convolved(const Plane& plane, const Taps& across, const Taps& down, bool uses_vectors = true);

}  // namespace eole::picture
