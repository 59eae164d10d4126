#include "worker/picture/pixels.hpp"
#include "worker/picture/report.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wconversion"
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb/stb_image_resize.h>
#pragma GCC diagnostic pop

namespace eole::picture {

Pixels resized(const Pixels& pixels, Size to) {
  auto small = Pixels::of(to);
  if (::stbir_resize_uint8_srgb(pixels.bytes.data(), pixels.size.width, pixels.size.height, 0,
                                small.bytes.data(), to.width, to.height, 0, 3,
                                STBIR_ALPHA_CHANNEL_NONE, 0) == 0)
    fail("no memory to resize");
  return small;
}

}  // namespace eole::picture
