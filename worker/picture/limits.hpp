#pragma once
#include <cstdint>

/// What one picture may cost; the worker tells them in its errors.
namespace eole::picture {

constexpr std::uint64_t kFileBytesMax = 256ULL << 20;  // Of the input, and of the output.
constexpr std::int64_t kPixelsMax = 64'000'000;
constexpr int kSideMax = 16'384;
/// 64 M pixels: 192 MB as RGB, and 512 MB of coefficients of a progressive CMYK JPEG.
constexpr std::uint64_t kMemoryBytesMax = 768ULL << 20;
constexpr unsigned kCpuSecondsMax = 60;
constexpr int kWallSecondsMax = 600;  // Ten others on the same core.

}  // namespace eole::picture
