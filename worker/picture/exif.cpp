#include "worker/picture/exif.hpp"

#include <cstdint>

namespace eole::picture {

namespace {

constexpr std::uint32_t kOrientation = 0x0112;
constexpr std::uint32_t kShort = 3;
constexpr std::uint32_t kEntryBytes = 12;

// An unsigned integer of `size` bytes; zero past the end.
std::uint32_t number_at(std::string_view bytes, std::uint64_t at, unsigned size, bool is_big) {
  if (at + size > bytes.size()) return 0;
  std::uint32_t value = 0;
  for (unsigned i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at + (is_big ? i : size - 1 - i)]);
    value = value << 8 | byte;
  }
  return value;
}

// Where the value of the orientation lies; zero: it has none.
std::uint64_t orientation_at(std::string_view tiff) {
  const bool is_big = tiff.substr(0, 2) == "MM";
  if (!is_big && tiff.substr(0, 2) != "II") return 0;
  if (number_at(tiff, 2, 2, is_big) != 42) return 0;
  const std::uint64_t directory = number_at(tiff, 4, 4, is_big);
  const auto count = number_at(tiff, directory, 2, is_big);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto entry = directory + 2 + std::uint64_t{i} * kEntryBytes;
    if (entry + kEntryBytes > tiff.size()) return 0;
    if (number_at(tiff, entry, 2, is_big) != kOrientation) continue;
    const bool is_one_short = number_at(tiff, entry + 2, 2, is_big) == kShort &&
                              number_at(tiff, entry + 4, 4, is_big) == 1;
    return is_one_short ? entry + 8 : 0;
  }
  return 0;
}

}  // namespace

int orientation_of(std::string_view tiff) {
  const auto at = orientation_at(tiff);
  const auto value = at == 0 ? 1 : number_at(tiff, at, 2, tiff.substr(0, 2) == "MM");
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

std::string upright_exif(std::string tiff) {
  if (const auto at = orientation_at(tiff); at != 0) {
    const bool is_big = tiff.starts_with("MM");
    tiff[at] = is_big ? '\0' : '\1';
    tiff[at + 1] = is_big ? '\1' : '\0';
  }
  return tiff;
}

}  // namespace eole::picture
