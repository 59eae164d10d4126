#include <tiffio.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <vector>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/colours.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {

namespace {

int fd_of(thandle_t handle) { return static_cast<Input*>(handle)->fd(); }

tmsize_t read(thandle_t handle, void* to, tmsize_t size) {
  tmsize_t got = 0;
  while (got < size) {
    const auto part =
        ::read(fd_of(handle), static_cast<char*>(to) + got, static_cast<std::size_t>(size - got));
    if (part <= 0) break;
    got += part;
  }
  return got;
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return -1; }

toff_t seek(thandle_t handle, toff_t to, int from) {
  return static_cast<toff_t>(::lseek(fd_of(handle), static_cast<off_t>(to), from));
}

int close_nothing(thandle_t) { return 0; }

toff_t size_of(thandle_t handle) { return static_cast<Input*>(handle)->size(); }

// Whatever libtiff finds wrong is damage: it would show what there is.
int refuse(TIFF*, void*, const char*, const char* format, va_list values) {
  std::array<char, 500> words{};
  std::vsnprintf(words.data(), words.size(), format, values);
  fail(text("a TIFF that is damaged or of an unknown kind: ", words.data()));
}

// Of a tag it may warn; a warning about pixels is one of damage that it covers up.
int consider(TIFF* tiff, void* is_at_pixels, const char* module, const char* format,
             va_list values) {
  return *static_cast<bool*>(is_at_pixels) ? refuse(tiff, nullptr, module, format, values) : 1;
}

std::string bytes_of(TIFF* tiff, std::uint32_t tag) {
  std::uint32_t size = 0;
  const void* bytes = nullptr;
  if (::TIFFGetField(tiff, tag, &size, &bytes) == 0 || bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), size};
}

std::uint16_t number_of(TIFF* tiff, std::uint32_t tag) {
  std::uint16_t value = 0;
  (void)::TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

bool has_alpha(TIFF* tiff) {
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  if (::TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) == 0 || count == 0) return false;
  return kinds[0] == EXTRASAMPLE_ASSOCALPHA || kinds[0] == EXTRASAMPLE_UNASSALPHA;
}

/// Rows of samples as they are stored, where libtiff's own RGB would lose the profile.
bool is_plain_ink(TIFF* tiff) {
  return number_of(tiff, TIFFTAG_PHOTOMETRIC) == PHOTOMETRIC_SEPARATED &&
         number_of(tiff, TIFFTAG_BITSPERSAMPLE) == 8 &&
         number_of(tiff, TIFFTAG_SAMPLESPERPIXEL) == 4 &&
         number_of(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG && ::TIFFIsTiled(tiff) == 0;
}

void read_ink(TIFF* tiff, Picture& picture, Colours& colours) {
  std::vector<std::uint8_t> row(static_cast<std::size_t>(::TIFFScanlineSize64(tiff)));
  for (int y = 0; y < picture.size.height; ++y) {
    if (::TIFFReadScanline(tiff, row.data(), static_cast<std::uint32_t>(y), 0) != 1)
      fail("a damaged TIFF: a row is missing");
    for (auto& ink : row) ink = static_cast<std::uint8_t>(255 - ink);
    picture.set_row(y, colours.converted(row.data(), picture.size.width));
  }
}

// libtiff weighs its colours by alpha.
void read_rgba(TIFF* tiff, Picture& picture, Colours& colours, int channels) {
  const auto [width, height] = picture.size;
  char why[1024] = "";
  TIFFRGBAImage image;
  if (::TIFFRGBAImageOK(tiff, why) == 0 || ::TIFFRGBAImageBegin(&image, tiff, 1, why) == 0)
    fail(text("a TIFF that cannot be read: ", why));
  image.req_orientation = image.orientation;  // As it is stored; it is turned later.
  std::vector<std::uint32_t> pixels(static_cast<std::size_t>(width) *
                                    static_cast<std::size_t>(height));
  if (::TIFFRGBAImageGet(&image, pixels.data(), static_cast<std::uint32_t>(width),
                         static_cast<std::uint32_t>(height)) == 0)
    fail("a damaged TIFF: pixels are missing");
  ::TIFFRGBAImageEnd(&image);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(width) *
                                static_cast<std::size_t>(channels));
  for (int y = 0; y < height; ++y) {
    auto* to = row.data();
    for (int x = 0; x < width; ++x) {
      const auto pixel = pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                                static_cast<std::size_t>(x)];
      const unsigned alpha = TIFFGetA(pixel);
      const auto whole = [&](unsigned value) {
        if (channels != 4 || alpha == 255) return static_cast<std::uint8_t>(value);
        return static_cast<std::uint8_t>(
            alpha == 0 ? 0 : std::min(255U, (value * 255 + alpha / 2) / alpha));
      };
      *to++ = whole(TIFFGetR(pixel));
      if (channels == 1) continue;
      *to++ = whole(TIFFGetG(pixel));
      *to++ = whole(TIFFGetB(pixel));
      if (channels == 4) *to++ = static_cast<std::uint8_t>(alpha);
    }
    picture.set_row(y, colours.converted(row.data(), width));
  }
}

int channels_of(TIFF* tiff) {
  const auto photometric = number_of(tiff, TIFFTAG_PHOTOMETRIC);
  const bool is_grey =
      photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
  if (has_alpha(tiff)) return 4;
  return is_grey && number_of(tiff, TIFFTAG_SAMPLESPERPIXEL) == 1 ? 1 : 3;
}

}  // namespace

Decoded read_tiff(Input& input, const Job& job) {
  input.rewind();
  (void)::lseek(input.fd(), 0, SEEK_SET);
  auto* options = ::TIFFOpenOptionsAlloc();
  ::TIFFOpenOptionsSetErrorHandlerExtR(options, refuse, nullptr);
  bool is_at_pixels = false;
  ::TIFFOpenOptionsSetWarningHandlerExtR(options, consider, &is_at_pixels);
  ::TIFFOpenOptionsSetMaxSingleMemAlloc(options, static_cast<tmsize_t>(kMemoryBytesMax / 2));
  auto* tiff = ::TIFFClientOpenExt("input", "rm", &input, read, write_nothing, seek, close_nothing,
                                   size_of, nullptr, nullptr, options);
  if (tiff == nullptr) fail("a damaged TIFF");
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  (void)::TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  (void)::TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  check_size(width, height);

  std::uint16_t photometric = 0;
  if (::TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric) == 0)
    fail("a damaged TIFF: it does not say what its samples mean");  // Each decoder guesses.

  Decoded decoded;
  decoded.metadata = {{}, bytes_of(tiff, TIFFTAG_ICCPROFILE), bytes_of(tiff, TIFFTAG_XMLPACKET)};
  const auto orientation = number_of(tiff, TIFFTAG_ORIENTATION);
  decoded.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  const bool is_ink = is_plain_ink(tiff);
  const int channels = is_ink ? 4 : channels_of(tiff);
  Colours colours(is_ink          ? 4
                  : channels == 1 ? 1
                                  : 3,
                  !is_ink && channels == 4, decoded.metadata.icc, job);
  decoded.picture =
      Picture::of({static_cast<int>(width), static_cast<int>(height)}, colours.planes());
  is_at_pixels = true;
  if (is_ink)
    read_ink(tiff, decoded.picture, colours);
  else
    read_rgba(tiff, decoded.picture, colours, channels);
  is_at_pixels = false;
  decoded.metadata.icc = colours.kept_profile();
  decoded.is_first_of_many = ::TIFFLastDirectory(tiff) == 0;
  ::TIFFClose(tiff);
  ::TIFFOpenOptionsFree(options);
  return decoded;
}

}  // namespace eole::picture
