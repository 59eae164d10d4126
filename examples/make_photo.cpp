// Makes a JPEG that compresses like a photograph: soft shapes, edges and sensor noise.
//   eole-make-photo WIDTH HEIGHT QUALITY SEED FILE
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

int main(int argc, char** argv) {
  if (argc != 6) return std::fprintf(stderr, "use: make_photo WIDTH HEIGHT QUALITY SEED FILE\n"), 2;
  const int width = std::atoi(argv[1]);
  const int height = std::atoi(argv[2]);
  if (width < 1 || height < 1 || width > 10000 || height > 10000) return 2;
  std::mt19937 random(static_cast<std::uint32_t>(std::atoi(argv[4])));
  std::normal_distribution<float> noise(0, 4);
  const auto seed = static_cast<float>(random() % 1000) / 100;
  std::vector<unsigned char> pixels(static_cast<std::size_t>(width) * height * 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto u = static_cast<float>(x) / 400 + seed;
      const auto v = static_cast<float>(y) / 300 + seed;
      const float shape = std::sin(u * 2 + std::cos(v)) + std::cos(v * 3 - std::sin(u * 2));
      const float edge = std::fmod(u * v, 2.0F) < 1 ? 18 : -18;
      for (int channel = 0; channel < 3; ++channel) {
        const float value = 128 + shape * 45 + edge + noise(random) +
                            static_cast<float>(channel) * 12 * std::sin(u);
        pixels[(static_cast<std::size_t>(y) * width + x) * 3 + channel] =
            static_cast<unsigned char>(value < 0     ? 0
                                       : value > 255 ? 255
                                                     : value);
      }
    }
  }
  return stbi_write_jpg(argv[5], width, height, 3, pixels.data(), std::atoi(argv[3])) != 0 ? 0 : 1;
}
