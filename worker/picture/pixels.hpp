#pragma once
#include <cstdint>
#include <vector>

namespace eole::picture {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
};

/// RGB in sRGB, 8 bits, row by row without gaps.
struct Pixels {
  Size size;
  std::vector<std::uint8_t> bytes;

  static Pixels of(Size size);
  std::uint8_t* row(int y) { return bytes.data() + offset(0, y); }
  const std::uint8_t* row(int y) const { return bytes.data() + offset(0, y); }
  std::size_t offset(int x, int y) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) +
            static_cast<std::size_t>(x)) *
           3;
  }
};

/// What a decoder gives.
struct Decoded {
  Pixels pixels;
  int orientation = 1;
  bool is_plain = false;  // The file as it is shows these pixels to everyone.
};

/// Fails by name if there are too many of them.
void check_size(std::uint64_t width, std::uint64_t height);
/// The largest size in the box that keeps the aspect ratio, never larger; zero: no such bound.
Size fit(Size size, int width, int height);
/// As it is meant to be seen.
Pixels upright(Pixels pixels, int orientation);
Pixels resized(const Pixels& pixels, Size to);

}  // namespace eole::picture
