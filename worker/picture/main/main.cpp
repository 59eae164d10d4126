#include <exception>
#include <new>

#include "common/base/text.hpp"
#include "worker/picture/codecs.hpp"
#include "worker/picture/confine.hpp"
#include "worker/picture/formats.hpp"
#include "worker/picture/job.hpp"
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

[[noreturn]] void run(const Job& job) {
  Input input;
  auto decoded = decode(input);
  auto& pixels = decoded.pixels;
  const bool is_turned = decoded.orientation >= 5;  // The box is of the picture as it is shown.
  const auto to =
      is_turned ? fit(pixels.size, job.height, job.width) : fit(pixels.size, job.width, job.height);
  const bool is_smaller = to != pixels.size;
  if (is_smaller) pixels = resized(pixels, to);
  pixels = upright(std::move(pixels), decoded.orientation);
  write_jpeg(pixels, job.quality);
  succeed(pixels.size.width, pixels.size.height, decoded.is_plain && !is_smaller);
}

}  // namespace
}  // namespace eole::picture

/// eole-picture: makes one JPEG for the worker at the other end of its socket, and ends.
int main() {
  using namespace eole::picture;
  const auto job = take_job();
  confine();
  try {
    run(job);
  } catch (const std::bad_alloc&) {
    fail(eole::text("needs more than ", kMemoryBytesMax >> 20, " MiB of memory"));
  }
}
