#include <png.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/exif.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

constexpr const char* kXmpKey = "XML:com.adobe.xmp";

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

// Whatever the file has becomes 8 bits a sample: grey or RGB with alpha if there is any, or the
// number of a colour in the palette.
void choose_samples(png_structp png, png_infop info) {
  const auto type = ::png_get_color_type(png, info);
  const auto depth = ::png_get_bit_depth(png, info);
  if (type == PNG_COLOR_TYPE_PALETTE) {
    ::png_set_packing(png);
  } else {
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) ::png_set_expand_gray_1_2_4_to_8(png);
    if (::png_get_valid(png, info, PNG_INFO_tRNS) != 0) ::png_set_tRNS_to_alpha(png);
  }
  if (depth == 16) ::png_set_scale_16(png);
  ::png_read_update_info(png, info);
}

/// The colours of a palette with their alpha. libpng would show black for one that is not there.
class Palette {
 public:
  Palette(png_structp png, png_infop info) {
    png_colorp colours = nullptr;
    png_bytep alphas = nullptr;
    int count = 0;
    int alpha_count = 0;
    if (::png_get_PLTE(png, info, &colours, &count) == 0) return;
    ::png_get_tRNS(png, info, &alphas, &alpha_count, nullptr);
    channels_ = alpha_count > 0 ? 4 : 3;
    for (int i = 0; i < count; ++i) {
      const png_byte alpha = i < alpha_count ? alphas[i] : 255;
      rgba_.insert(rgba_.end(), {colours[i].red, colours[i].green, colours[i].blue, alpha});
    }
  }
  bool has_alpha() const { return channels_ == 4; }
  void look_up(const png_byte* numbers, int pixels, std::vector<png_byte>& out) const {
    out.resize(static_cast<std::size_t>(pixels) * channels_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(pixels); ++i) {
      const std::size_t at = std::size_t{numbers[i]} * 4;
      if (at >= rgba_.size())
        fail(text("a damaged PNG: colour ", numbers[i], " of a palette of ", rgba_.size() / 4));
      std::memcpy(&out[i * channels_], &rgba_[at], channels_);
    }
  }

 private:
  std::vector<png_byte> rgba_;
  std::size_t channels_ = 3;
};

std::string profile(png_structp png, png_infop info) {
  png_charp name = nullptr;
  int compression = 0;
  png_bytep bytes = nullptr;
  png_uint_32 size = 0;
  if (::png_get_iCCP(png, info, &name, &compression, &bytes, &size) == 0) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string exif(png_structp png, png_infop info) {
  png_uint_32 size = 0;
  png_bytep bytes = nullptr;
  if (::png_get_eXIf_1(png, info, &size, &bytes) == 0) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string xmp(png_structp png, png_infop info) {
  png_textp texts = nullptr;
  int count = 0;
  ::png_get_text(png, info, &texts, &count);
  for (int i = 0; i < count; ++i)
    if (std::strcmp(texts[i].key, kXmpKey) == 0) {
      const bool is_long = texts[i].compression >= PNG_ITXT_COMPRESSION_NONE;
      return {texts[i].text, is_long ? texts[i].itxt_length : texts[i].text_length};
    }
  return {};
}

/// Rows of samples, one after another, for Picture::set_row().
class Rows {
 public:
  Rows(png_structp png, png_infop info, const Job& job)
      : png_(png), row_(::png_get_rowbytes(png, info)) {
    const bool has_palette = ::png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE;
    if (has_palette) palette_.emplace(png, info);
    const int channels =
        has_palette ? (palette_->has_alpha() ? 4 : 3) : ::png_get_channels(png, info);
    colours_.emplace(channels <= 2 ? 1 : 3, channels % 2 == 0, profile(png, info), job);
  }
  const Colours& colours() const { return *colours_; }
  const std::uint8_t* next(int pixels) {
    ::png_read_row(png_, row_.data(), nullptr);
    if (palette_) palette_->look_up(row_.data(), pixels, looked_up_);
    return colours_->converted(palette_ ? looked_up_.data() : row_.data(), pixels);
  }

 private:
  png_structp png_;
  std::vector<png_byte> row_;
  std::vector<png_byte> looked_up_;
  std::optional<Palette> palette_;
  std::optional<Colours> colours_;
};

// The passes are put together here, of rows that are RGB already: libpng would want all of the
// picture with 8 bytes a pixel.
void read_interlaced(Rows& rows, Picture& picture) {
  const auto width = static_cast<png_uint_32>(picture.size.width);
  const auto height = static_cast<png_uint_32>(picture.size.height);
  for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
    const auto columns = PNG_PASS_COLS(width, pass);
    if (columns == 0) continue;
    for (png_uint_32 y = 0; y < PNG_PASS_ROWS(height, pass); ++y) {
      const auto* samples = rows.next(static_cast<int>(columns));
      const auto line = static_cast<int>(PNG_ROW_FROM_PASS_ROW(y, pass));
      for (png_uint_32 x = 0; x < columns; ++x)
        for (auto& plane : picture.planes)
          plane.row(line)[PNG_COL_FROM_PASS_COL(x, pass)] = *samples++;
    }
  }
}

}  // namespace

Decoded read_png(Input& input, const Job& job) {
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
  Rows rows(png, info, job);
  Decoded decoded;
  auto& picture = decoded.picture;
  picture =
      Picture::of({static_cast<int>(width), static_cast<int>(height)}, rows.colours().planes());
  if (is_interlaced) {
    read_interlaced(rows, picture);
  } else {
    for (int y = 0; y < picture.size.height; ++y) picture.set_row(y, rows.next(picture.size.width));
  }
  ::png_read_end(png, info);  // The last checksum, and EXIF behind the pixels.
  decoded.metadata = {exif(png, info), rows.colours().kept_profile(), xmp(png, info)};
  decoded.orientation = orientation_of(decoded.metadata.exif);
  decoded.is_plain = decoded.orientation == 1 && !rows.colours().has_profile();
  ::png_destroy_read_struct(&png, &info, nullptr);
  return decoded;
}

}  // namespace eole::picture
