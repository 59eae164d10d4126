#include "worker/picture/placement.hpp"

#include <algorithm>
#include <cmath>

namespace eole::picture {

namespace {

int scaled(int side, double scale) {
  return std::max(1, static_cast<int>(std::lround(side * scale)));
}

Placement crop(Size source, Size box) {
  const double scale = std::min(1.0, std::max(static_cast<double>(box.width) / source.width,
                                              static_cast<double>(box.height) / source.height));
  const Size to{std::min(box.width, scaled(source.width, scale)),
                std::min(box.height, scaled(source.height, scale))};
  Placement placement{to, to};
  placement.width = std::min<double>(source.width, to.width / scale);
  placement.height = std::min<double>(source.height, to.height / scale);
  placement.x = (source.width - placement.width) / 2;
  placement.y = (source.height - placement.height) / 2;
  if (scale == 1) {  // No sample between two others.
    placement.x = std::floor(placement.x);
    placement.y = std::floor(placement.y);
  }
  return placement;
}

}  // namespace

Placement place(Size source, Size box, Resize how) {
  if (how == Resize::kCrop) return crop(source, box);
  double scale = 1;
  if (box.width > 0) scale = std::min(scale, static_cast<double>(box.width) / source.width);
  if (box.height > 0) scale = std::min(scale, static_cast<double>(box.height) / source.height);
  const Size to{scaled(source.width, scale), scaled(source.height, scale)};
  return {to, how == Resize::kFill ? box : to,   0,
          0,  static_cast<double>(source.width), static_cast<double>(source.height)};
}

bool is_turned(const Job& job, int orientation) {
  return (orientation >= 5) != (job.rotation >= 5);
}

std::vector<Placement> placements(const Job& job, Size stored, int orientation) {
  if (job.sizes.empty()) {
    const bool turned = is_turned(job, orientation);
    return {place(stored, turned ? Size{job.box.height, job.box.width} : job.box, job.resize)};
  }
  std::vector<Placement> all;
  for (const int side : job.sizes) all.push_back(place(stored, {side, side}, Resize::kFit));
  return all;
}

int reduction(const std::vector<Placement>& placements) {
  constexpr double kSamplesLeft = 2;
  double least = 8 * kSamplesLeft;
  for (const auto& each : placements)
    least = std::min({least, each.width / each.to.width, each.height / each.to.height});
  int by = 1;
  while (by < 8 && least >= 2 * by * kSamplesLeft) by *= 2;
  return by;
}

}  // namespace eole::picture
