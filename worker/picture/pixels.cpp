#include "worker/picture/pixels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/base/text.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

Pixels Pixels::of(Size size) {
  Pixels pixels{size, {}};
  pixels.bytes.resize(pixels.offset(0, size.height));
  return pixels;
}

void check_size(std::uint64_t width, std::uint64_t height) {
  if (width > kSideMax || height > kSideMax || width * height > kPixelsMax)
    fail(text(width, " x ", height, " pixels, limit ", kPixelsMax, " and ", kSideMax, " a side"));
}

Size fit(Size size, int width, int height) {
  double scale = 1;
  if (width > 0) scale = std::min(scale, static_cast<double>(width) / size.width);
  if (height > 0) scale = std::min(scale, static_cast<double>(height) / size.height);
  return {std::max(1, static_cast<int>(std::lround(size.width * scale))),
          std::max(1, static_cast<int>(std::lround(size.height * scale)))};
}

Pixels upright(Pixels pixels, int orientation) {
  if (orientation == 1) return pixels;
  const auto [width, height] = pixels.size;
  const bool is_turned = orientation >= 5;
  auto shown = Pixels::of(is_turned ? Size{height, width} : pixels.size);
  // Where the stored row begins and the stored column goes on, by what EXIF's number says of them.
  const bool is_right_first =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool is_bottom_first =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (int y = 0; y < height; ++y) {
    const auto* from = pixels.row(y);
    for (int x = 0; x < width; ++x, from += 3) {
      const int across = is_right_first ? width - 1 - x : x;
      const int down = is_bottom_first ? height - 1 - y : y;
      std::memcpy(shown.bytes.data() +
                      (is_turned ? shown.offset(down, across) : shown.offset(across, down)),
                  from, 3);
    }
  }
  return shown;
}

}  // namespace eole::picture
