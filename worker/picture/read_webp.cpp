#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/exif.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

std::string chunk(const WebPDemuxer* file, const char* name) {
  WebPChunkIterator found{};
  std::string bytes;
  if (::WebPDemuxGetChunk(file, name, 1, &found) != 0)
    bytes.assign(reinterpret_cast<const char*>(found.chunk.bytes), found.chunk.size);
  ::WebPDemuxReleaseChunkIterator(&found);
  return bytes;
}

// EXIF of some writers begins as that of a JPEG.
std::string exif(const WebPDemuxer* file) {
  using namespace std::string_view_literals;
  auto bytes = chunk(file, "EXIF");
  if (bytes.starts_with("Exif\0\0"sv)) bytes.erase(0, 6);
  return bytes;
}

void decode(const WebPIterator& frame, bool has_alpha, std::vector<std::uint8_t>& samples) {
  WebPDecoderConfig config;
  if (::WebPInitDecoderConfig(&config) == 0) fail("no WebP decoder");
  const auto channels = has_alpha ? 4 : 3;
  samples.resize(static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height) *
                 static_cast<std::size_t>(channels));
  config.output.colorspace = has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {samples.data(), frame.width * channels, samples.size()};
  const auto status = ::WebPDecode(frame.fragment.bytes, frame.fragment.size, &config);
  if (status == VP8_STATUS_OUT_OF_MEMORY)
    fail(text("its decoder needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
  if (status != VP8_STATUS_OK) fail(text("a damaged WebP: error ", static_cast<int>(status)));
}

}  // namespace

Decoded read_webp(Input& input, const Job& job) {
  const auto bytes = input.whole();
  const WebPData whole{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  WebPDemuxState state{};
  auto* file = ::WebPDemuxPartial(&whole, &state);
  if (file == nullptr || state != WEBP_DEMUX_DONE)
    fail(state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER
             ? text("a damaged WebP: cut off after ", bytes.size(), " bytes")
             : std::string("a damaged WebP: its chunks make no sense"));
  const Size size{static_cast<int>(::WebPDemuxGetI(file, WEBP_FF_CANVAS_WIDTH)),
                  static_cast<int>(::WebPDemuxGetI(file, WEBP_FF_CANVAS_HEIGHT))};
  check_size(static_cast<std::uint64_t>(size.width), static_cast<std::uint64_t>(size.height));
  WebPIterator frame{};
  if (::WebPDemuxGetFrame(file, 1, &frame) == 0) fail("a damaged WebP: it has no picture");

  const bool is_all = frame.width == size.width && frame.height == size.height;
  const bool has_alpha = frame.has_alpha != 0 || !is_all;
  std::vector<std::uint8_t> samples;
  decode(frame, has_alpha, samples);
  Decoded decoded;
  decoded.metadata = {exif(file), chunk(file, "ICCP"), chunk(file, "XMP ")};
  Colours colours(3, has_alpha, decoded.metadata.icc, job);
  auto& picture = decoded.picture;
  picture = Picture::of(size, colours.planes());
  const auto channels = static_cast<std::size_t>(has_alpha ? 4 : 3);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(size.width) * channels);
  for (int y = 0; y < size.height; ++y) {
    std::fill(row.begin(), row.end(), std::uint8_t{0});
    const int from = y - frame.y_offset;
    if (from >= 0 && from < frame.height) {
      const auto frame_row = static_cast<std::size_t>(frame.width) * channels;
      std::copy_n(&samples[static_cast<std::size_t>(from) * frame_row], frame_row,
                  &row[static_cast<std::size_t>(frame.x_offset) * channels]);
    }
    picture.set_row(y, colours.converted(row.data(), size.width));
  }
  decoded.is_first_of_many = frame.num_frames > 1;
  decoded.orientation = orientation_of(decoded.metadata.exif);
  decoded.is_plain =
      decoded.orientation == 1 && !colours.has_profile() && !decoded.is_first_of_many;
  decoded.metadata.icc = colours.kept_profile();
  ::WebPDemuxReleaseIterator(&frame);
  ::WebPDemuxDelete(file);
  return decoded;
}

}  // namespace eole::picture
