#include <webp/encode.h>
#include <webp/mux.h>

#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

int add(const std::uint8_t* bytes, std::size_t size, const WebPPicture* webp) {
  static_cast<Output*>(webp->custom_ptr)->add({reinterpret_cast<const char*>(bytes), size});
  return 1;
}

int append(const std::uint8_t* bytes, std::size_t size, const WebPPicture* webp) {
  static_cast<std::string*>(webp->custom_ptr)->append(reinterpret_cast<const char*>(bytes), size);
  return 1;
}

std::vector<std::uint8_t> samples_of(const Picture& picture, std::size_t channels) {
  const auto row = static_cast<std::size_t>(picture.size.width) * channels;
  std::vector<std::uint8_t> samples(row * static_cast<std::size_t>(picture.size.height));
  for (int y = 0; y < picture.size.height; ++y) {
    auto* to = &samples[row * static_cast<std::size_t>(y)];
    if (picture.planes.size() != 1) {
      picture.interleave(y, to);
      continue;
    }
    const auto* grey = picture.planes[0].row(y);
    for (std::size_t x = 0; x < row; ++x) to[x] = grey[x / channels];
  }
  return samples;
}

void import(WebPPicture& webp, const Picture& picture) {
  const int channels = picture.has_alpha() ? 4 : 3;
  const auto samples = samples_of(picture, static_cast<std::size_t>(channels));
  const int stride = picture.size.width * channels;
  const bool is_there = channels == 4 ? ::WebPPictureImportRGBA(&webp, samples.data(), stride) != 0
                                      : ::WebPPictureImportRGB(&webp, samples.data(), stride) != 0;
  if (!is_there) fail(text("needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
}

// The picture in a file that has room for more.
void wrap(const std::string& plain, const Metadata& metadata, Output& output) {
  auto* mux = ::WebPMuxNew();
  const auto bytes = [](const std::string& text) {
    return WebPData{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  };
  const auto picture = bytes(plain);
  bool is_good = mux != nullptr && ::WebPMuxSetImage(mux, &picture, 0) == WEBP_MUX_OK;
  const auto set = [&](const char* name, const std::string& text) {
    const auto chunk = bytes(text);
    if (!text.empty()) is_good = is_good && ::WebPMuxSetChunk(mux, name, &chunk, 0) == WEBP_MUX_OK;
  };
  set("ICCP", metadata.icc);
  set("EXIF", metadata.exif);
  set("XMP ", metadata.xmp);
  WebPData whole{};
  if (!is_good || ::WebPMuxAssemble(mux, &whole) != WEBP_MUX_OK) fail("cannot be encoded as WebP");
  output.add({reinterpret_cast<const char*>(whole.bytes), whole.size});
  ::WebPDataClear(&whole);
  ::WebPMuxDelete(mux);
}

}  // namespace

void write_webp(const Picture& picture, const Metadata& metadata, int quality, Output& output) {
  if (picture.size.width > WEBP_MAX_DIMENSION || picture.size.height > WEBP_MAX_DIMENSION)
    fail(text(picture.size.width, " x ", picture.size.height, " pixels, a WebP has at most ",
              WEBP_MAX_DIMENSION, " a side"));
  WebPConfig config;
  WebPPicture webp;
  if (::WebPConfigInit(&config) == 0 || ::WebPPictureInit(&webp) == 0) fail("no WebP encoder");
  config.quality = static_cast<float>(quality);
  webp.width = picture.size.width;
  webp.height = picture.size.height;
  import(webp, picture);
  const bool is_wrapped = !metadata.exif.empty() || !metadata.icc.empty() || !metadata.xmp.empty();
  std::string plain;
  webp.writer = is_wrapped ? append : add;
  webp.custom_ptr = is_wrapped ? static_cast<void*>(&plain) : &output;
  if (::WebPEncode(&config, &webp) == 0)
    fail(text("cannot be encoded as WebP: error ", static_cast<int>(webp.error_code)));
  ::WebPPictureFree(&webp);
  if (is_wrapped) wrap(plain, metadata, output);
}

}  // namespace eole::picture
