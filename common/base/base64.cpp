#include "common/base/base64.hpp"

#include <cstdint>

namespace eole {

namespace {
constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : kLetters[(group >> (18 - 6 * k)) & 63];
  }
  return out;
}

std::optional<Bytes> from_base64(std::string_view letters) {
  Bytes bytes;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char letter : letters.substr(0, letters.find('='))) {
    const auto digit = kLetters.find(letter);
    if (digit == std::string_view::npos) return std::nullopt;
    group = (group << 6 | static_cast<std::uint32_t>(digit)) & 0xFFFFFF;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits);
  }
  if (to_base64(bytes) != letters) return std::nullopt;
  return bytes;
}

}  // namespace eole
