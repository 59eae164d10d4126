#include "common/base/utf8.hpp"

#include <algorithm>

namespace eole {

namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The length of a character that begins with this byte; zero if none does.
std::size_t length_of(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0x80) return 1;
  if (byte >= 0xC2 && byte < 0xE0) return 2;
  if (byte >= 0xE0 && byte < 0xF0) return 3;
  if (byte >= 0xF0 && byte < 0xF5) return 4;
  return 0;
}

}  // namespace

Character first_character(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const Character invalid{first, 1, false};
  const auto length = length_of(bytes[0]);
  if (length == 0 || length > bytes.size()) return invalid;
  std::uint32_t code = length == 1 ? first : first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (!continues(bytes[i])) return invalid;
    code = code << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3FU);
  }
  const bool is_longer_than_needed =
      (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  if (is_longer_than_needed || is_surrogate || code > 0x10FFFF) return invalid;
  return {code, length, true};
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto character = first_character(bytes);
    if (!character.is_valid) return false;
    bytes.remove_prefix(character.bytes);
  }
  return true;
}

bool is_control(std::uint32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

bool turns_text(std::uint32_t code) {
  return code == 0x61C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::size_t unfinished_at_end(std::string_view bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const char byte = bytes[bytes.size() - back];
    if (!continues(byte)) return length_of(byte) > back ? back : 0;
  }
  return 0;
}

std::size_t unbegun_at_begin(std::string_view bytes) {
  std::size_t count = 0;
  while (count < std::min<std::size_t>(3, bytes.size()) && continues(bytes[count])) ++count;
  return count;
}

std::string_view cut_text(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  text = text.substr(0, bytes);
  return text.substr(0, text.size() - unfinished_at_end(text));
}

}  // namespace eole
