#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/jpeg_source.hpp"

namespace eole::picture {

/// A JPEG whose head is read. Then, once: decode(), or read_planes() after start().
class JpegReader {
 public:
  JpegReader(Input& input, const Job& job);

  Size size() const;
  int orientation() const { return orientation_; }
  const Metadata& metadata() const { return metadata_; }
  /// The file as it is shows what is decoded to everyone.
  bool is_plain() const;
  /// Its tables are as coarse as the job's quality would make them: there is nothing to be gained
  /// that the picture would not lose.
  bool is_coarse_enough() const;
  /// Nothing is to be changed but the quality, and its planes are what the output has.
  bool has_wanted_planes() const;

  /// As YCbCr if that is all the job needs, and already smaller if that is enough.
  Decoded decode();
  /// Fails unless every code of the file is there and valid; makes next to no samples of them.
  void check();
  /// To planes as they are coded.
  jpeg_decompress_struct& start_planes(int reduction);
  /// Rows of whole blocks, of all components. Each component's go where `row_at(component, row)`
  /// says, from its row `component.v_samp_factor * component.DCT_scaled_size * (calls before)` on.
  using RowAt = std::function<JSAMPROW(int component, int row)>;
  void read_planes(const RowAt& row_at);
  void finish() { source_.finish(); }

 private:
  bool gives_ycc(const std::vector<Placement>& placements) const;
  Picture read_ycc(int reduction);
  Picture read_rows(int reduction);

  const Job& job_;
  JpegSource source_;
  Metadata metadata_;
  int orientation_ = 1;
  std::optional<Colours> colours_;
};

/// The sampling of chroma that the job wants is the one that the file has.
Chroma chroma_of(const jpeg_decompress_struct& jpeg);

}  // namespace eole::picture
