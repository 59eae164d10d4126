#pragma once
#include "worker/picture/input.hpp"
#include "worker/picture/libjpeg.hpp"

namespace eole::picture {

/// libjpeg's decoder on an input. What it would cover up ends the program; so does a file that is
/// cut off.
struct JpegSource {
  explicit JpegSource(Input& from);
  ~JpegSource() { ::jpeg_destroy_decompress(&jpeg); }
  JpegSource(const JpegSource&) = delete;
  JpegSource& operator=(const JpegSource&) = delete;

  /// Reads on to the end mark. Once all rows are read.
  void finish();

  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  Input& input;
  bool has_warned = false;
};

constexpr int kExifMarker = JPEG_APP0 + 1;  // XMP, too.
constexpr int kProfileMarker = JPEG_APP0 + 2;

}  // namespace eole::picture
