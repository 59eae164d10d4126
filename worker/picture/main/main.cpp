#include <cstdlib>
#include <exception>
#include <new>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/confine.hpp"
#include "worker/picture/formats.hpp"
#include "worker/picture/limits.hpp"
#include "worker/picture/report.hpp"

namespace eole::picture {
namespace {

Decoded decode(Input& input) {
  const auto head = input.peek(kFormatBytes);
  if (head.empty()) fail("the input is empty");
  const auto format = format_of(head);
  if (format == "JPEG") return read_jpeg(input);
  if (format == "PNG") return read_png(input);
  if (format.empty()) fail("neither a JPEG nor a PNG");
  const bool is_an = format == "AVIF" || format == "ICO" || format == "SVG";
  fail(text(is_an ? "an " : "a ", format, " file; JPEG and PNG can be read"));
}

[[noreturn]] void run(int quality, int width, int height) {
  Input input;
  auto decoded = decode(input);
  auto& pixels = decoded.pixels;
  const bool is_turned = decoded.orientation >= 5;  // The box is of the picture as it is shown.
  const auto to = is_turned ? fit(pixels.size, height, width) : fit(pixels.size, width, height);
  const bool is_smaller = to != pixels.size;
  if (is_smaller) pixels = resized(pixels, to);
  pixels = upright(std::move(pixels), decoded.orientation);
  write_jpeg(pixels, quality);
  succeed(pixels.size.width, pixels.size.height, decoded.is_plain && !is_smaller);
}

}  // namespace
}  // namespace eole::picture

/// eole-picture PARENT QUALITY WIDTH HEIGHT: the picture on descriptor 0 becomes a JPEG on 1, and
/// one line on 3 says how it went. For the worker, which gives it nothing else.
int main(int argc, char** argv) {
  using namespace eole::picture;
  if (argc != 5) return 2;
  confine(std::atoi(argv[1]));
  try {
    run(std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]));
  } catch (const std::bad_alloc&) {
    fail(eole::text("needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
  }
}
