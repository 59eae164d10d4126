#include "worker/picture/jpeg_source.hpp"

#include <algorithm>
#include <string>

#include "common/base/text.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

// Bytes between the picture and its end mark that some cameras leave.
constexpr int kPaddingMax = 16;
// libjpeg decodes without looking for bad codes while it has 512 bytes of a block before it.
constexpr std::size_t kPieceBytes = 511;

JpegSource& source_of(j_common_ptr jpeg) { return *static_cast<JpegSource*>(jpeg->client_data); }

[[noreturn]] void refuse(j_common_ptr jpeg) {
  const auto& source = source_of(jpeg);
  if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
    fail(text("its decoder needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
  if (source.input.is_cut())
    fail(text("a damaged JPEG: cut off after ", source.input.taken(), " bytes"));
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
  source_of(jpeg).has_warned = true;
}

boolean fill(j_decompress_ptr jpeg) {
  static constexpr JOCTET kEnd[] = {0xff, JPEG_EOI};
  auto& input = source_of(reinterpret_cast<j_common_ptr>(jpeg)).input;
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
    if (source_of(reinterpret_cast<j_common_ptr>(jpeg)).input.is_cut()) return;
  }
  if (count <= 0) return;
  source.next_input_byte += count;
  source.bytes_in_buffer -= static_cast<std::size_t>(count);
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

JpegSource::JpegSource(Input& from) : input(from) {
  jpeg.err = ::jpeg_std_error(&errors);
  errors.error_exit = refuse;
  errors.emit_message = on_message;
  jpeg.client_data = this;
  ::jpeg_create_decompress(&jpeg);
  source.init_source = [](j_decompress_ptr) {};
  source.fill_input_buffer = fill;
  source.skip_input_data = skip;
  source.resync_to_restart = ::jpeg_resync_to_restart;
  source.term_source = [](j_decompress_ptr) {};
  jpeg.src = &source;
  ::jpeg_save_markers(&jpeg, kExifMarker, 0xffff);
  ::jpeg_save_markers(&jpeg, kProfileMarker, 0xffff);
  ::jpeg_read_header(&jpeg, TRUE);
}

void JpegSource::finish() {
  while (!::jpeg_input_complete(&jpeg)) ::jpeg_consume_input(&jpeg);
  check_complete(jpeg, input);
}

}  // namespace eole::picture
