#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

namespace eole::picture {

/// Turns rows of samples into rows of sRGB: by the picture's ICC profile if it has one, and with
/// what is transparent laid on white. A profile that is broken, or of other colours than the
/// picture's, counts as none, as browsers do.
class Colours {
 public:
  /// `channels`: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
  static Colours of_png(int channels, std::string_view profile);
  /// `channels`: 1 grey, 3 RGB, 4 CMYK with 255 for no ink: as every JPEG of it is read, whether
  /// Adobe's marker says so or not.
  static Colours of_jpeg(int channels, std::string_view profile);

  void convert(const std::uint8_t* samples, std::uint8_t* rgb, int pixels) const;
  /// The profile is there, and is not sRGB itself.
  bool has_profile() const { return transform_ != nullptr; }

 private:
  Colours(int colours, bool has_alpha, std::string_view profile);
  void convert_plainly(const std::uint8_t* samples, std::uint8_t* rgb, int pixels) const;
  void lay_on_white(const std::uint8_t* samples, std::uint8_t* rgb, int pixels) const;

  int colours_;
  bool has_alpha_;
  std::shared_ptr<void> transform_;  // Shared only because its type is erased.
};

}  // namespace eole::picture
