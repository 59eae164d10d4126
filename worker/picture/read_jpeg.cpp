#include <algorithm>
#include <string>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/exif.hpp"
#include "worker/picture/libjpeg.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

constexpr int kExif = JPEG_APP0 + 1;
constexpr int kProfile = JPEG_APP0 + 2;
// Bytes between the picture and its end mark that some cameras leave.
constexpr int kPaddingMax = 16;
// libjpeg decodes without looking for bad codes while it has 512 bytes of a block before it.
constexpr std::size_t kPieceBytes = 511;

/// The decoder with its input; libjpeg hands back pointers to its first members.
struct Reader {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  Input* input = nullptr;
  bool has_warned = false;
};

Reader& reader_of(j_common_ptr jpeg) { return *static_cast<Reader*>(jpeg->client_data); }

[[noreturn]] void refuse(j_common_ptr jpeg) {
  const auto& reader = reader_of(jpeg);
  if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
    fail(text("its decoder needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
  if (reader.input->is_cut())
    fail(text("a damaged JPEG: cut off after ", reader.input->taken(), " bytes"));
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  fail(text("a JPEG that is damaged or of an unknown kind: ", message));
}

// Warnings tell of damage that libjpeg would cover up; but some of them change no pixel.
void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const auto* about = jpeg->err->msg_parm.i;
  switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
      if (about[1] != JPEG_EOI || about[0] > kPaddingMax) refuse(jpeg);
      break;
    case JWRN_JPEG_EOF:  // Looked at in the end: only the end mark may be what is missing.
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_ICC:
      break;
    default:
      refuse(jpeg);
  }
  reader_of(jpeg).has_warned = true;
}

boolean fill(j_decompress_ptr jpeg) {
  static constexpr JOCTET kEnd[] = {0xff, JPEG_EOI};
  auto& input = *reader_of(reinterpret_cast<j_common_ptr>(jpeg)).input;
  const auto piece = input.take(kPieceBytes);
  if (piece.empty()) WARNMS(jpeg, JWRN_JPEG_EOF);
  jpeg->src->next_input_byte = piece.empty() ? kEnd : reinterpret_cast<const JOCTET*>(piece.data());
  jpeg->src->bytes_in_buffer = piece.empty() ? sizeof kEnd : piece.size();
  return TRUE;
}

void skip(j_decompress_ptr jpeg, long count) {
  auto& source = *jpeg->src;
  while (count > static_cast<long>(source.bytes_in_buffer)) {
    count -= static_cast<long>(source.bytes_in_buffer);
    fill(jpeg);
    if (reader_of(reinterpret_cast<j_common_ptr>(jpeg)).input->is_cut()) return;
  }
  if (count <= 0) return;
  source.next_input_byte += count;
  source.bytes_in_buffer -= static_cast<std::size_t>(count);
}

void open(Reader& reader, Input& input) {
  auto& jpeg = reader.jpeg;
  reader.input = &input;
  jpeg.err = ::jpeg_std_error(&reader.errors);
  reader.errors.error_exit = refuse;
  reader.errors.emit_message = on_message;
  jpeg.client_data = &reader;
  ::jpeg_create_decompress(&jpeg);
  reader.source.init_source = [](j_decompress_ptr) {};
  reader.source.fill_input_buffer = fill;
  reader.source.skip_input_data = skip;
  reader.source.resync_to_restart = ::jpeg_resync_to_restart;
  reader.source.term_source = [](j_decompress_ptr) {};
  jpeg.src = &reader.source;
  ::jpeg_save_markers(&jpeg, kExif, 0xffff);
  ::jpeg_save_markers(&jpeg, kProfile, 0xffff);
}

int orientation(const jpeg_decompress_struct& jpeg) {
  using namespace std::string_view_literals;
  constexpr auto kName = "Exif\0\0"sv;
  for (const auto* marker = jpeg.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view bytes(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (marker->marker == kExif && bytes.substr(0, kName.size()) == kName)
      return orientation_of(bytes.substr(kName.size()));
  }
  return 1;
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

// What no warning tells: scans that are not there.
void check_complete(const jpeg_decompress_struct& jpeg, const Input& input) {
  bool is_whole = !(input.is_cut() && jpeg.arith_code);  // Its decoder reads past an end unaware.
  for (int c = 0; c < jpeg.num_components; ++c) {
    is_whole = is_whole && jpeg.comp_info[c].quant_table != nullptr;
    if (jpeg.coef_bits == nullptr) continue;
    const auto* left = jpeg.coef_bits[c];  // Bits of each coefficient still to come; -1: all.
    is_whole = is_whole && left[0] >= 0;
    if (input.is_cut())
      is_whole = is_whole && std::all_of(left, left + DCTSIZE2, [](int bits) { return bits == 0; });
  }
  if (is_whole) return;
  if (input.is_cut()) fail(text("a damaged JPEG: cut off after ", input.taken(), " bytes"));
  fail("a damaged JPEG: scans are missing");
}

}  // namespace

Decoded read_jpeg(Input& input) {
  Reader reader;
  auto& jpeg = reader.jpeg;
  open(reader, input);
  ::jpeg_read_header(&jpeg, TRUE);
  check_size(jpeg.image_width, jpeg.image_height);
  choose_colours(jpeg);
  const int channels = jpeg.num_components;
  const auto colours = Colours::of_jpeg(channels, profile(jpeg));
  ::jpeg_start_decompress(&jpeg);
  Decoded decoded;
  decoded.orientation = orientation(jpeg);
  decoded.pixels =
      Pixels::of({static_cast<int>(jpeg.output_width), static_cast<int>(jpeg.output_height)});
  std::vector<JSAMPLE> row(std::size_t{jpeg.output_width} * static_cast<std::size_t>(channels));
  while (jpeg.output_scanline < jpeg.output_height) {
    const auto y = static_cast<int>(jpeg.output_scanline);
    JSAMPROW rows[] = {row.data()};
    ::jpeg_read_scanlines(&jpeg, rows, 1);
    colours.convert(row.data(), decoded.pixels.row(y), decoded.pixels.size.width);
  }
  while (!::jpeg_input_complete(&jpeg)) ::jpeg_consume_input(&jpeg);  // To its end mark.
  check_complete(jpeg, input);
  // Few programs show an arithmetic-coded JPEG, and few two the same of CMYK.
  decoded.is_plain = decoded.orientation == 1 && channels <= 3 && !colours.has_profile() &&
                     !jpeg.arith_code && !reader.has_warned;
  ::jpeg_destroy_decompress(&jpeg);
  return decoded;
}

}  // namespace eole::picture
