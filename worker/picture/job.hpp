#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "worker/picture/picture.hpp"

namespace eole::picture {

// What a run of eole-picture has beside the kind's own arguments, and what it tells of a picture.
constexpr const char* kInputField = "input";  // The file's path.
constexpr const char* kMarkField = "mark";    // The watermark's; null: none.
constexpr const char* kFormatField = "format";
constexpr const char* kKeptField = "kept";            // The input's picture, bit by bit.
constexpr const char* kFirstField = "first_of_many";  // Of an animation, or of pages.
constexpr const char* kMadeField = "made";            // A map for each file.
constexpr const char* kWidthField = "width";
constexpr const char* kHeightField = "height";
constexpr const char* kQualityField = "quality";  // Zero: the format has none.

enum class Format : std::uint8_t { kJpeg, kPng, kWebp };
enum class Resize : std::uint8_t { kFit, kFill, kCrop };

/// Pixels for one sample of chroma.
struct Chroma {
  int across = 2;
  int down = 2;
  bool operator==(const Chroma&) const = default;
};

struct Job {
  int input = -1;            // Descriptors.
  int mark = -1;             // Of the watermark; negative: none.
  std::vector<int> outputs;  // One, or one for each size.

  std::optional<Format> format;  // Nothing: the input's.
  int quality = 85;              // The best that is wanted.
  std::uint64_t size_max = 0;    // Bytes; zero: any.
  bool is_progressive = false;
  bool is_optimised = true;
  Chroma chroma;
  Size box;  // As it is shown; zero: no bound.
  Resize resize = Resize::kFit;
  std::vector<int> sizes;  // Fits in a square of each; none: one picture, in the box.
  int rotation = 1;        // As EXIF numbers it.
  bool is_grey = false;
  double blur = 0;
  double sharpen = 0;
  std::optional<Colour> background;
  bool keeps_exif = false;
  bool keeps_icc = false;
  bool keeps_xmp = false;

  bool changes_pixels() const {
    return rotation != 1 || is_grey || blur > 0 || sharpen > 0 || mark >= 0;
  }
};

/// The name of the file that a descriptor of `outputs` is.
std::string output_name(std::size_t index);

/// Says hello to the worker, takes the one task that it has, and opens its files. Before anything
/// of the input is read.
Job take_job();

}  // namespace eole::picture
