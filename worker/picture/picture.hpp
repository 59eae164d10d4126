#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eole::picture {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
};

/// One sample of 8 bits for each place, row by row. Rows and the end have room for vectors of 32
/// samples to read and write past them.
class Plane {
 public:
  Plane() = default;
  /// Its samples are not set. `across`, `down`: samples for a pixel of the picture: 0.5 of chroma.
  explicit Plane(Size size, double across = 1, double down = 1);
  /// `room`: of rows that are written as whole blocks.
  Plane(Size size, Size room, double across, double down);

  Size size() const { return size_; }
  std::size_t stride() const { return stride_; }
  double across() const { return across_; }
  double down() const { return down_; }
  std::uint8_t* row(int y) { return samples_.get() + static_cast<std::size_t>(y) * stride_; }
  const std::uint8_t* row(int y) const {
    return samples_.get() + static_cast<std::size_t>(y) * stride_;
  }
  void set_scale(double across, double down) {
    across_ = across;
    down_ = down;
  }
  void fill(std::uint8_t value);
  Plane copy() const;

 private:
  Size size_;
  std::size_t stride_ = 0;
  double across_ = 1;
  double down_ = 1;
  std::unique_ptr<std::uint8_t[]> samples_;
};

struct Colour {
  std::uint8_t red = 255;
  std::uint8_t green = 255;
  std::uint8_t blue = 255;
};

/// One plane: grey. Three: RGB, or, with chroma perhaps of fewer samples, YCbCr. Four: RGB and
/// alpha. In sRGB, unless its profile is kept.
struct Picture {
  Size size;
  std::vector<Plane> planes;
  bool is_ycc = false;

  bool has_alpha() const { return planes.size() == 4; }
  static Picture of(Size size, int planes);
  /// Row `y` as samples side by side.
  void interleave(int y, std::uint8_t* samples) const;
  void set_row(int y, const std::uint8_t* samples);
};

struct Metadata {
  std::string exif;  // As TIFF: without "Exif\0\0".
  std::string icc;
  std::string xmp;
};

/// What a decoder gives.
struct Decoded {
  Picture picture;
  int orientation = 1;
  bool is_plain = false;  // The file as it is shows these pixels to everyone.
  bool is_first_of_many = false;
  Metadata metadata;
};

/// Fails by name if there are too many of them.
void check_size(std::uint64_t width, std::uint64_t height);
/// As it is meant to be seen. Of YCbCr the size must be even where chroma has half the samples.
Picture upright(Picture picture, int orientation);

}  // namespace eole::picture
