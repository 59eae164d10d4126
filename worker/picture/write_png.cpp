#include <png.h>

#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

[[noreturn]] void refuse(png_structp, png_const_charp message) {
  fail(text("cannot be encoded: ", message));
}

void ignore(png_structp, png_const_charp) {}

void add(png_structp png, png_bytep bytes, std::size_t size) {
  static_cast<Output*>(::png_get_io_ptr(png))->add({reinterpret_cast<const char*>(bytes), size});
}

void set_metadata(png_structp png, png_infop info, const Metadata& metadata) {
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<png_bytep>(const_cast<char*>(text.data()));
  };
  if (!metadata.icc.empty())
    ::png_set_iCCP(png, info, "icc", PNG_COMPRESSION_TYPE_BASE, bytes(metadata.icc),
                   static_cast<png_uint_32>(metadata.icc.size()));
  if (!metadata.exif.empty())
    ::png_set_eXIf_1(png, info, static_cast<png_uint_32>(metadata.exif.size()),
                     bytes(metadata.exif));
  if (metadata.xmp.empty()) return;
  png_text xmp{};
  xmp.compression = PNG_ITXT_COMPRESSION_NONE;
  xmp.key = const_cast<char*>("XML:com.adobe.xmp");
  xmp.text = const_cast<char*>(metadata.xmp.c_str());
  xmp.itxt_length = metadata.xmp.size();
  ::png_set_text(png, info, &xmp, 1);
}

}  // namespace

void write_png(const Picture& picture, const Metadata& metadata, Output& output) {
  auto* png = ::png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, refuse, ignore);
  auto* info = png != nullptr ? ::png_create_info_struct(png) : nullptr;
  if (info == nullptr) fail("no memory to encode");
  ::png_set_write_fn(png, &output, add, [](png_structp) {});
  const auto planes = picture.planes.size();
  const int type = planes == 1   ? PNG_COLOR_TYPE_GRAY
                   : planes == 3 ? PNG_COLOR_TYPE_RGB
                                 : PNG_COLOR_TYPE_RGB_ALPHA;
  ::png_set_IHDR(png, info, static_cast<png_uint_32>(picture.size.width),
                 static_cast<png_uint_32>(picture.size.height), 8, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  set_metadata(png, info, metadata);
  ::png_write_info(png, info);
  std::vector<png_byte> row(static_cast<std::size_t>(picture.size.width) * planes);
  for (int y = 0; y < picture.size.height; ++y) {
    picture.interleave(y, row.data());
    ::png_write_row(png, row.data());
  }
  ::png_write_end(png, info);
  ::png_destroy_write_struct(&png, &info);
}

}  // namespace eole::picture
