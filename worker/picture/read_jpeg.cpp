#include "worker/picture/read_jpeg.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "common/base/text.hpp"
#include "worker/picture/exif.hpp"
#include "worker/picture/report.hpp"
#include "worker/picture/write_jpeg.hpp"

namespace eole::picture {

namespace {

using namespace std::string_view_literals;

std::string marker(const jpeg_decompress_struct& jpeg, std::string_view name) {
  for (const auto* each = jpeg.marker_list; each != nullptr; each = each->next) {
    const std::string_view bytes(reinterpret_cast<const char*>(each->data), each->data_length);
    if (each->marker == kExifMarker && bytes.starts_with(name))
      return std::string(bytes.substr(name.size()));
  }
  return {};
}

std::string profile(jpeg_decompress_struct& jpeg) {
  JOCTET* bytes = nullptr;
  unsigned size = 0;
  if (!::jpeg_read_icc_profile(&jpeg, &bytes, &size)) return {};
  std::string copy(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);
  return copy;
}

void choose_colours(jpeg_decompress_struct& jpeg) {
  switch (jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
      jpeg.out_color_space = JCS_GRAYSCALE;
      break;
    case JCS_YCbCr:
    case JCS_RGB:
      jpeg.out_color_space = JCS_RGB;
      break;
    case JCS_CMYK:
    case JCS_YCCK:
      jpeg.out_color_space = JCS_CMYK;
      break;
    default:
      fail(text("a JPEG of ", jpeg.num_components, " colours; 1, 3 and 4 can be read"));
  }
}

// Samples of a component for each pixel.
double density(int factor, int factor_max, int scaled_size) {
  return static_cast<double>(factor * scaled_size) / (factor_max * DCTSIZE);
}

}  // namespace

Chroma chroma_of(const jpeg_decompress_struct& jpeg) {
  const auto* each = jpeg.comp_info;
  const bool is_known = jpeg.num_components == 3 && each[1].h_samp_factor == 1 &&
                        each[1].v_samp_factor == 1 && each[2].h_samp_factor == 1 &&
                        each[2].v_samp_factor == 1;
  return is_known ? Chroma{each[0].h_samp_factor, each[0].v_samp_factor} : Chroma{0, 0};
}

JpegReader::JpegReader(Input& input, const Job& job) : job_(job), source_(input) {
  auto& jpeg = source_.jpeg;
  check_size(jpeg.image_width, jpeg.image_height);
  choose_colours(jpeg);
  metadata_ = {marker(jpeg, "Exif\0\0"sv), profile(jpeg),
               marker(jpeg, "http://ns.adobe.com/xap/1.0/\0"sv)};
  orientation_ = orientation_of(metadata_.exif);
  colours_.emplace(jpeg.num_components, false, metadata_.icc, job);
  metadata_.icc = colours_->kept_profile();
}

Size JpegReader::size() const {
  return {static_cast<int>(source_.jpeg.image_width), static_cast<int>(source_.jpeg.image_height)};
}

bool JpegReader::is_plain() const {
  // Few programs show an arithmetic-coded JPEG, and few two the same of CMYK.
  return orientation_ == 1 && source_.jpeg.num_components <= 3 && !colours_->has_profile() &&
         !source_.jpeg.arith_code && !source_.has_warned;
}

bool JpegReader::is_coarse_enough() const {
  const auto& jpeg = source_.jpeg;
  const auto wanted = coarseness(job_.quality);
  for (int c = 0; c < jpeg.num_components; ++c) {
    const int number = jpeg.comp_info[c].quant_tbl_no;
    const auto* table =
        number >= 0 && number < NUM_QUANT_TBLS ? jpeg.quant_tbl_ptrs[number] : nullptr;
    if (table == nullptr) return false;
    unsigned sum = 0;
    for (const auto value : table->quantval) sum += value;
    if (sum < wanted[c == 0 ? 0 : 1]) return false;
  }
  const auto chroma = chroma_of(jpeg);
  const bool has_less_chroma = jpeg.num_components == 1 || (chroma.across >= job_.chroma.across &&
                                                            chroma.down >= job_.chroma.down);
  return has_less_chroma && (jpeg.progressive_mode != FALSE || !job_.is_progressive);
}

bool JpegReader::has_wanted_planes() const {
  return source_.jpeg.jpeg_color_space == JCS_YCbCr && chroma_of(source_.jpeg) == job_.chroma &&
         orientation_ == 1 && !colours_->has_profile();
}

// Chroma of fewer samples cannot be turned where it has half of one at an edge.
bool JpegReader::gives_ycc(const std::vector<Placement>& placements) const {
  if (source_.jpeg.jpeg_color_space != JCS_YCbCr || colours_->has_profile()) return false;
  if (job_.is_grey) return true;
  if (job_.format != Format::kJpeg || job_.blur > 0 || job_.sharpen > 0 || job_.mark >= 0)
    return false;
  const auto& chroma = job_.chroma;
  const bool is_upright = orientation_ == 1 && job_.rotation == 1;
  if (is_turned(job_, orientation_) && chroma.across != chroma.down) return false;
  return std::all_of(placements.begin(), placements.end(), [&](const Placement& each) {
    return each.canvas == each.to && (is_upright || (each.to.width % chroma.across == 0 &&
                                                     each.to.height % chroma.down == 0));
  });
}

jpeg_decompress_struct& JpegReader::start_planes(int reduction) {
  auto& jpeg = source_.jpeg;
  jpeg.scale_num = static_cast<unsigned>(DCTSIZE / reduction);
  jpeg.scale_denom = DCTSIZE;
  jpeg.out_color_space = jpeg.jpeg_color_space;
  jpeg.raw_data_out = TRUE;
  ::jpeg_start_decompress(&jpeg);
  return jpeg;
}

void JpegReader::read_planes(const RowAt& row_at) {
  auto& jpeg = source_.jpeg;
  JSAMPROW rows[3][MAX_SAMP_FACTOR * DCTSIZE];
  JSAMPARRAY planes[3] = {rows[0], rows[1], rows[2]};
  const int lines = jpeg.max_v_samp_factor * jpeg.min_DCT_scaled_size;
  const int block = static_cast<int>(jpeg.output_scanline) / lines;
  for (int c = 0; c < jpeg.num_components; ++c) {
    const int high = jpeg.comp_info[c].v_samp_factor * jpeg.comp_info[c].DCT_scaled_size;
    for (int row = 0; row < high; ++row) rows[c][row] = row_at(c, block * high + row);
  }
  ::jpeg_read_raw_data(&jpeg, planes, static_cast<JDIMENSION>(lines));
}

Picture JpegReader::read_ycc(int reduction) {
  auto& jpeg = start_planes(reduction);
  Picture picture{size(), {}, true};
  for (int c = 0; c < jpeg.num_components; ++c) {
    const auto& each = jpeg.comp_info[c];
    const int high = each.v_samp_factor * each.DCT_scaled_size;
    picture.planes.emplace_back(
        Size{static_cast<int>(each.downsampled_width), static_cast<int>(each.downsampled_height)},
        Size{static_cast<int>(each.width_in_blocks) * each.DCT_scaled_size,
             static_cast<int>(jpeg.total_iMCU_rows) * high},
        density(each.h_samp_factor, jpeg.max_h_samp_factor, each.DCT_scaled_size),
        density(each.v_samp_factor, jpeg.max_v_samp_factor, each.DCT_scaled_size));
  }
  while (jpeg.output_scanline < jpeg.output_height)
    read_planes(
        [&](int c, int row) { return picture.planes[static_cast<std::size_t>(c)].row(row); });
  return picture;
}

Picture JpegReader::read_rows(int reduction) {
  auto& jpeg = source_.jpeg;
  jpeg.scale_num = static_cast<unsigned>(DCTSIZE / reduction);
  jpeg.scale_denom = DCTSIZE;
  ::jpeg_start_decompress(&jpeg);
  Picture picture{size(), {}, false};
  for (int c = 0; c < colours_->planes(); ++c)
    picture.planes.emplace_back(
        Size{static_cast<int>(jpeg.output_width), static_cast<int>(jpeg.output_height)},
        1.0 / reduction, 1.0 / reduction);
  std::vector<JSAMPLE> row(std::size_t{jpeg.output_width} *
                           static_cast<std::size_t>(jpeg.output_components));
  while (jpeg.output_scanline < jpeg.output_height) {
    const auto y = static_cast<int>(jpeg.output_scanline);
    JSAMPROW rows[] = {row.data()};
    ::jpeg_read_scanlines(&jpeg, rows, 1);
    picture.set_row(y, colours_->converted(row.data(), static_cast<int>(jpeg.output_width)));
  }
  return picture;
}

void JpegReader::check() {
  auto& jpeg = source_.jpeg;
  jpeg.scale_num = 1;
  jpeg.scale_denom = DCTSIZE;
  jpeg.out_color_space = JCS_GRAYSCALE;
  ::jpeg_start_decompress(&jpeg);
  std::vector<JSAMPLE> row(jpeg.output_width);
  JSAMPROW rows[] = {row.data()};
  while (jpeg.output_scanline < jpeg.output_height) ::jpeg_read_scanlines(&jpeg, rows, 1);
  finish();
}

Decoded JpegReader::decode() {
  const auto plan = placements(job_, size(), orientation_);
  const int by = reduction(plan);
  Decoded decoded;
  decoded.picture = gives_ycc(plan) ? read_ycc(by) : read_rows(by);
  finish();
  decoded.orientation = orientation_;
  decoded.is_plain = is_plain();
  decoded.metadata = std::move(metadata_);
  return decoded;
}

Decoded read_jpeg(Input& input, const Job& job) { return JpegReader(input, job).decode(); }

}  // namespace eole::picture
