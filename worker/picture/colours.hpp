#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/picture/job.hpp"

namespace eole::picture {

/// Turns rows of samples into rows of sRGB: by the picture's ICC profile if it has one (unless that
/// is kept), and with what is transparent laid on the job's background, if there is one. A profile
/// that is broken, or of other colours than the picture's, counts as none, as browsers do.
class Colours {
 public:
  /// `colours`: 1 grey, 3 RGB, 4 CMYK with 255 for no ink: as every JPEG of it is read, whether
  /// Adobe's marker says so or not. Alpha comes last.
  Colours(int colours, bool has_alpha, std::string_view profile, const Job& job);

  /// Of the rows that are made: 1 grey, 3 RGB, 4 RGB and alpha.
  int planes() const;
  /// A row for Picture::set_row(), valid until the next call.
  const std::uint8_t* converted(const std::uint8_t* samples, int pixels);
  /// The profile changes what is seen.
  bool has_profile() const { return transform_ != nullptr; }
  /// What the output must have; empty: none, it is in sRGB.
  const std::string& kept_profile() const { return kept_; }

 private:
  void convert_plainly(const std::uint8_t* samples, int pixels);
  void lay(const std::uint8_t* samples, int pixels);
  void add_alpha(const std::uint8_t* samples, int pixels);

  int colours_;
  bool has_alpha_;
  std::optional<Colour> background_;
  std::shared_ptr<void> transform_;  // Shared only because its type is erased.
  std::string kept_;
  std::vector<std::uint8_t> rgb_;
  std::vector<std::uint8_t> rgba_;
};

}  // namespace eole::picture
