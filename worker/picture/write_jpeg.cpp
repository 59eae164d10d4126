#include "worker/picture/write_jpeg.hpp"

#include <algorithm>
#include <cstring>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMarkerRoom = 65533;

[[noreturn]] void refuse(j_common_ptr jpeg) {
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  fail(text("cannot be encoded: ", message));
}

void flush(j_compress_ptr jpeg, std::size_t size) {
  auto& target = *static_cast<JpegTarget*>(jpeg->client_data);
  target.output.add({reinterpret_cast<const char*>(target.buffer.data()), size});
  target.destination.next_output_byte = target.buffer.data();
  target.destination.free_in_buffer = target.buffer.size();
}

// What does not fit in one marker is left away.
void write_marker(jpeg_compress_struct& jpeg, std::string_view name, const std::string& bytes) {
  if (bytes.empty() || name.size() + bytes.size() > kMarkerRoom) return;
  const auto whole = text(name, bytes);
  ::jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(whole.data()),
                      static_cast<unsigned>(whole.size()));
}

/// Rows of a plane as libjpeg wants them: whole blocks, which go on as the plane ends.
class BlockRows {
 public:
  BlockRows(const Plane& plane, const jpeg_component_info& component)
      : plane_(plane),
        width_(component.width_in_blocks * DCTSIZE),
        high_(component.v_samp_factor * DCTSIZE),
        samples_(width_ * static_cast<std::size_t>(high_)) {
    for (int y = 0; y < high_; ++y) rows_[y] = &samples_[width_ * static_cast<std::size_t>(y)];
  }
  JSAMPARRAY rows(int block) {
    const auto width = std::min(width_, static_cast<std::size_t>(plane_.size().width));
    for (int y = 0; y < high_; ++y) {
      const auto* from = plane_.row(std::min(block * high_ + y, plane_.size().height - 1));
      std::memcpy(rows_[y], from, width);
      std::memset(rows_[y] + width, from[width - 1], width_ - width);
    }
    return rows_;
  }

 private:
  const Plane& plane_;
  std::size_t width_;
  int high_;
  std::vector<JSAMPLE> samples_;
  JSAMPROW rows_[MAX_SAMP_FACTOR * DCTSIZE] = {};
};

void write_planes(jpeg_compress_struct& jpeg, const Picture& picture) {
  BlockRows luma(picture.planes[0], jpeg.comp_info[0]);
  BlockRows blue(picture.planes[1], jpeg.comp_info[1]);
  BlockRows red(picture.planes[2], jpeg.comp_info[2]);
  const int lines = jpeg.comp_info[0].v_samp_factor * DCTSIZE;
  for (int block = 0; block * lines < picture.size.height; ++block) {
    JSAMPARRAY planes[] = {luma.rows(block), blue.rows(block), red.rows(block)};
    ::jpeg_write_raw_data(&jpeg, planes, static_cast<JDIMENSION>(lines));
  }
}

}  // namespace

JpegTarget::JpegTarget(Output& to, Size size, int planes, bool is_ycc, const Job& job, int quality)
    : output(to), buffer(1 << 16) {
  jpeg.err = ::jpeg_std_error(&errors);
  errors.error_exit = refuse;
  jpeg.client_data = this;
  ::jpeg_create_compress(&jpeg);
  destination.init_destination = [](j_compress_ptr each) { flush(each, 0); };
  destination.empty_output_buffer = [](j_compress_ptr each) -> boolean {
    flush(each, static_cast<JpegTarget*>(each->client_data)->buffer.size());
    return TRUE;
  };
  destination.term_destination = [](j_compress_ptr each) {
    flush(each,
          static_cast<JpegTarget*>(each->client_data)->buffer.size() - each->dest->free_in_buffer);
  };
  jpeg.dest = &destination;
  jpeg.image_width = static_cast<JDIMENSION>(size.width);
  jpeg.image_height = static_cast<JDIMENSION>(size.height);
  jpeg.input_components = planes;
  jpeg.in_color_space = planes == 1 ? JCS_GRAYSCALE : is_ycc ? JCS_YCbCr : JCS_RGB;
  ::jpeg_set_defaults(&jpeg);
  ::jpeg_set_quality(&jpeg, quality, TRUE);
  if (planes == 3) {
    jpeg.comp_info[0].h_samp_factor = job.chroma.across;
    jpeg.comp_info[0].v_samp_factor = job.chroma.down;
  }
  jpeg.raw_data_in = is_ycc ? TRUE : FALSE;
  jpeg.optimize_coding = job.is_optimised ? TRUE : FALSE;
  if (job.is_progressive) ::jpeg_simple_progression(&jpeg);
}

void JpegTarget::start(const Metadata& metadata) {
  ::jpeg_start_compress(&jpeg, TRUE);
  write_marker(jpeg, "Exif\0\0"sv, metadata.exif);
  write_marker(jpeg, "http://ns.adobe.com/xap/1.0/\0"sv, metadata.xmp);
  if (!metadata.icc.empty())
    ::jpeg_write_icc_profile(&jpeg, reinterpret_cast<const JOCTET*>(metadata.icc.data()),
                             static_cast<unsigned>(metadata.icc.size()));
}

std::array<unsigned, 2> coarseness(int quality) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = ::jpeg_std_error(&errors);
  errors.error_exit = refuse;
  ::jpeg_create_compress(&jpeg);
  ::jpeg_set_quality(&jpeg, quality, TRUE);
  std::array<unsigned, 2> sums{};
  for (std::size_t table = 0; table < 2; ++table)
    for (const auto value : jpeg.quant_tbl_ptrs[table]->quantval) sums[table] += value;
  ::jpeg_destroy_compress(&jpeg);
  return sums;
}

void write_jpeg(const Picture& picture, const Metadata& metadata, const Job& job, int quality,
                Output& output) {
  const auto planes = static_cast<int>(picture.planes.size());
  JpegTarget target(output, picture.size, planes, picture.is_ycc, job, quality);
  target.start(metadata);
  auto& jpeg = target.jpeg;
  if (picture.is_ycc) {
    write_planes(jpeg, picture);
  } else {
    std::vector<JSAMPLE> row(static_cast<std::size_t>(picture.size.width) *
                             static_cast<std::size_t>(planes));
    for (int y = 0; y < picture.size.height; ++y) {
      picture.interleave(y, row.data());
      JSAMPROW rows[] = {row.data()};
      ::jpeg_write_scanlines(&jpeg, rows, 1);
    }
  }
  ::jpeg_finish_compress(&jpeg);
}

}  // namespace eole::picture
