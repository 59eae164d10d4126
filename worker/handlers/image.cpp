#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include "common/base/text.hpp"
#include "worker/handlers/kinds.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wconversion"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_WRITE_NO_STDIO
#define STBI_MAX_DIMENSIONS 16384
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace eole::worker {

namespace {

constexpr std::uint64_t kFileBytesMax = 256ULL << 20;
constexpr std::int64_t kPixelsMax = 64'000'000;  // 192 MB decoded.
constexpr int kQualityDefault = 85;

struct Size {
  int width = 0;
  int height = 0;
};

/// RGB, 8 bits, row-major, width * height * 3 bytes.
struct Image {
  Size size;
  std::unique_ptr<unsigned char, void (*)(void*)> pixels{nullptr, ::stbi_image_free};
};

Expected<std::string> read_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Error{"image: the input is not there"};
  if (static_cast<std::uint64_t>(status.st_size) > kFileBytesMax)
    return Error{text("image: input of ", status.st_size, " bytes, limit ", kFileBytesMax)};
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Expected<std::string> input_of(const Value& args, TaskContext& context) {
  if (const auto* data = args["data"].as<protocol::Blob>()) return data->bytes;
  const auto path = context.scratch_path("input");
  if (const auto* artifact = args["artifact"].as<std::string>()) {
    const auto fetched = context.fetch(*artifact, path);
    if (!fetched) return Error{text("image: ", fetched.error().message)};
    return read_file(path);
  }
  if (args["url"].as<std::string>() != nullptr) {
    Value download =
        Value::Map{{"url", args["url"]}, {"size_max", static_cast<std::int64_t>(kFileBytesMax)}};
    const auto outcome = run_download(download, context);
    if (!outcome.is_done) return Error{outcome.error};
    auto bytes = read_file(outcome.file->path);
    ::unlink(outcome.file->path.c_str());
    return bytes;
  }
  return Error{"image: needs artifact, url or data"};
}

Expected<Image> decode(const std::string& bytes) {
  const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto length = static_cast<int>(bytes.size());
  Size size;
  int channels = 0;
  if (::stbi_info_from_memory(raw, length, &size.width, &size.height, &channels) == 0)
    return Error{text("image: not a JPEG or PNG that can be read (", ::stbi_failure_reason(), ")")};
  if (std::int64_t{size.width} * size.height > kPixelsMax || size.width > STBI_MAX_DIMENSIONS ||
      size.height > STBI_MAX_DIMENSIONS)
    return Error{text("image: ", size.width, " x ", size.height, " pixels, limit ", kPixelsMax,
                      " and ", STBI_MAX_DIMENSIONS, " a side")};
  Image image;
  image.pixels.reset(::stbi_load_from_memory(raw, length, &size.width, &size.height, &channels, 3));
  if (!image.pixels) return Error{text("image: damaged (", ::stbi_failure_reason(), ")")};
  image.size = size;
  return image;
}

// The largest size inside the box that keeps the aspect ratio; never larger than the image.
Size fit(Size size, std::int64_t width, std::int64_t height) {
  double scale = 1;
  if (width > 0) scale = std::min(scale, static_cast<double>(width) / size.width);
  if (height > 0) scale = std::min(scale, static_cast<double>(height) / size.height);
  return {std::max(1, static_cast<int>(std::lround(size.width * scale))),
          std::max(1, static_cast<int>(std::lround(size.height * scale)))};
}

bool resize(Image& image, Size to) {
  std::unique_ptr<unsigned char, void (*)(void*)> pixels(
      static_cast<unsigned char*>(std::malloc(static_cast<std::size_t>(to.width) * to.height * 3)),
      std::free);
  if (!pixels || ::stbir_resize_uint8_srgb(image.pixels.get(), image.size.width, image.size.height,
                                           0, pixels.get(), to.width, to.height, 0, 3,
                                           STBIR_ALPHA_CHANNEL_NONE, 0) == 0)
    return false;
  image.pixels = std::move(pixels);
  image.size = to;
  return true;
}

void append(void* out, void* bytes, int size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes),
                                         static_cast<std::size_t>(size));
}

}  // namespace

Outcome run_image(const Value& args, TaskContext& context) {
  const auto quality = args["quality"].int_or(kQualityDefault);
  if (quality < 1 || quality > 100)
    return Outcome::failed(text("image: quality ", quality, ", allowed is 1 to 100"));
  const auto input = input_of(args, context);
  if (!input) return Outcome::failed(input.error().message);
  context.progress(1, 4);
  auto image = decode(*input);
  if (!image) return Outcome::failed(image.error().message);
  context.progress(2, 4);
  const auto to = fit(image->size, args["width"].int_or(0), args["height"].int_or(0));
  const bool is_smaller = to.width != image->size.width || to.height != image->size.height;
  if (is_smaller && !resize(*image, to)) return Outcome::failed("image: no memory to resize");
  if (context.is_cancelled()) return Outcome::failed("cancelled");
  context.progress(3, 4);

  std::string jpeg;
  if (::stbi_write_jpg_to_func(append, &jpeg, image->size.width, image->size.height, 3,
                               image->pixels.get(), static_cast<int>(quality)) == 0)
    return Outcome::failed("image: cannot be encoded");
  const auto path = context.scratch_path("jpg");
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << jpeg;
  file.close();
  if (!file) return Outcome::failed(text("image: cannot write ", path));
  auto outcome =
      Outcome::done(Value::Map{{"width", image->size.width},
                               {"height", image->size.height},
                               {"quality", quality},
                               {"input_bytes", static_cast<std::uint64_t>(input->size())},
                               {"bytes", static_cast<std::uint64_t>(jpeg.size())}});
  outcome.file = FileResult{path, args["name"].text_or("image.jpg")};
  return outcome;
}

}  // namespace eole::worker
