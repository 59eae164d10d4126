#include <png.h>

#include <cstring>
#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/exif.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

[[noreturn]] void refuse(png_structp, png_const_charp message) {
  if (std::strstr(message, "emory") != nullptr)
    fail(text("its decoder needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
  fail(text("a damaged PNG: ", message));
}

void ignore(png_structp, png_const_charp) {}

void read(png_structp png, png_bytep out, std::size_t size) {
  auto& input = *static_cast<Input*>(::png_get_io_ptr(png));
  while (size > 0) {
    const auto part = input.take(size);
    if (part.empty()) fail(text("a damaged PNG: cut off after ", input.taken(), " bytes"));
    std::memcpy(out, part.data(), part.size());
    out += part.size();
    size -= part.size();
  }
}

// Whatever the file has becomes 8 bits a sample of grey or RGB, with alpha if there is any.
void choose_samples(png_structp png, png_infop info) {
  const auto type = ::png_get_color_type(png, info);
  const auto depth = ::png_get_bit_depth(png, info);
  if (type == PNG_COLOR_TYPE_PALETTE) ::png_set_palette_to_rgb(png);
  if (type == PNG_COLOR_TYPE_GRAY && depth < 8) ::png_set_expand_gray_1_2_4_to_8(png);
  if (::png_get_valid(png, info, PNG_INFO_tRNS) != 0) ::png_set_tRNS_to_alpha(png);
  if (depth == 16) ::png_set_scale_16(png);
  ::png_read_update_info(png, info);
}

Colours colours_of(png_structp png, png_infop info, int channels) {
  png_charp name = nullptr;
  int compression = 0;
  png_bytep profile = nullptr;
  png_uint_32 size = 0;
  if (::png_get_iCCP(png, info, &name, &compression, &profile, &size) == 0) size = 0;
  return Colours::of_png(channels, {reinterpret_cast<const char*>(profile), size});
}

int orientation(png_structp png, png_infop info) {
  png_uint_32 size = 0;
  png_bytep exif = nullptr;
  if (::png_get_eXIf_1(png, info, &size, &exif) == 0) return 1;
  return orientation_of({reinterpret_cast<const char*>(exif), size});
}

// The passes are put together here, of rows that are RGB already: libpng would want all of the
// picture with 8 bytes a pixel.
void read_interlaced(png_structp png, const Colours& colours, png_bytep row, Pixels& pixels) {
  const auto width = static_cast<png_uint_32>(pixels.size.width);
  const auto height = static_cast<png_uint_32>(pixels.size.height);
  std::vector<std::uint8_t> rgb(std::size_t{width} * 3);
  for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
    const auto columns = PNG_PASS_COLS(width, pass);
    if (columns == 0) continue;
    for (png_uint_32 y = 0; y < PNG_PASS_ROWS(height, pass); ++y) {
      ::png_read_row(png, row, nullptr);
      colours.convert(row, rgb.data(), static_cast<int>(columns));
      auto* line = pixels.row(static_cast<int>(PNG_ROW_FROM_PASS_ROW(y, pass)));
      for (png_uint_32 x = 0; x < columns; ++x)
        std::memcpy(line + std::size_t{3} * PNG_COL_FROM_PASS_COL(x, pass), &rgb[x * 3], 3);
    }
  }
}

}  // namespace

Decoded read_png(Input& input) {
  auto* png = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, refuse, ignore);
  auto* info = png != nullptr ? ::png_create_info_struct(png) : nullptr;
  if (info == nullptr) fail("no memory to decode");
  ::png_set_read_fn(png, &input, read);
  ::png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size() tells more.
  ::png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  ::png_read_info(png, info);
  const auto width = ::png_get_image_width(png, info);
  const auto height = ::png_get_image_height(png, info);
  check_size(width, height);
  const bool is_interlaced = ::png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
  choose_samples(png, info);
  const auto colours = colours_of(png, info, ::png_get_channels(png, info));
  Decoded decoded;
  decoded.pixels = Pixels::of({static_cast<int>(width), static_cast<int>(height)});
  std::vector<png_byte> row(::png_get_rowbytes(png, info));
  if (is_interlaced) {
    read_interlaced(png, colours, row.data(), decoded.pixels);
  } else {
    for (int y = 0; y < decoded.pixels.size.height; ++y) {
      ::png_read_row(png, row.data(), nullptr);
      colours.convert(row.data(), decoded.pixels.row(y), decoded.pixels.size.width);
    }
  }
  ::png_read_end(png, info);  // The last checksum, and EXIF behind the pixels.
  decoded.orientation = orientation(png, info);
  ::png_destroy_read_struct(&png, &info, nullptr);
  return decoded;
}

}  // namespace eole::picture
