#include "sink/core/words.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/base/utf8.hpp"

namespace eole::sink {

namespace {

// U+00C0 to U+00FF, without accents; the others as lower case.
constexpr std::u16string_view kLatin =
    u"aaaaaa\u00e6ceeeeiiii\u00f0nooooo ouuuuy\u00fe\u00df"
    u"aaaaaa\u00e6ceeeeiiii\u00f0nooooo ouuuuy\u00fey";

std::uint32_t fold(std::uint32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  if (code >= 0xc0 && code <= 0xff) return kLatin[code - 0xc0];
  const bool is_even_capital = (code >= 0x100 && code < 0x138) || (code >= 0x14a && code < 0x178);
  if (is_even_capital) return code | 1;
  if (code >= 0x139 && code < 0x149) return code + code % 2;
  if (code >= 0x391 && code <= 0x3a9) return code + 32;  // Greek,
  if (code >= 0x400 && code <= 0x40f) return code + 80;  // Cyrillic.
  if (code >= 0x410 && code <= 0x42f) return code + 32;
  return code;
}

bool is_of_a_word(std::uint32_t code) {
  if (code < 0x80)
    return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
           (code >= 'A' && code <= 'Z');
  if (code < 0xc0) return code == 0xaa || code == 0xb5 || code == 0xba;
  const bool is_sign = code == 0xd7 || code == 0xf7 || (code >= 0x2000 && code < 0x2c00) ||
                       (code >= 0x3000 && code < 0x3040) || (code >= 0xff00 && code < 0xff10);
  return !is_sign;
}

// What is folded needs two bytes at most.
void put(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

constexpr std::size_t kBytesMin = 64;
constexpr std::array<std::uint32_t, 3> kFactors{0x9e3779b1, 0x85ebca77, 0xc2b2ae3d};

/// Calls `on_bit` with the places of each word, until it returns false.
template <class OnBit>
bool each_bit(std::string_view folded, std::size_t bytes, OnBit&& on_bit) {
  while (!folded.empty()) {
    const auto end = std::min(folded.find(' '), folded.size());
    const auto sum = crc32c(folded.substr(0, end));
    for (const auto factor : kFactors)
      if (end > 0 && !on_bit(((sum * factor) >> 16) % (bytes * 8))) return false;
    folded.remove_prefix(std::min(end + 1, folded.size()));
  }
  return true;
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  bool is_in_word = false;
  while (!text.empty()) {
    const auto character = first_character(text);
    const bool is_letter = character.is_valid && is_of_a_word(character.code);
    if (is_letter != is_in_word) out += is_letter && !out.empty() ? "" : " ";
    is_in_word = is_letter;
    if (is_letter && character.bytes < 3)
      put(out, fold(character.code));
    else if (is_letter)
      out += text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
  }
  if (is_in_word) out += ' ';
  return out;
}

bool WordFilter::is_whole() const {
  return bits_.empty() || (bits_.size() >= kBytesMin && bits_.size() <= kBytesMax &&
                           std::has_single_bit(bits_.size()));
}

void WordFilter::add(std::string_view folded) {
  if (bits_.empty()) bits_.assign(kBytesMax, '\0');
  while (bits_.size() < kBytesMax) bits_ += Bytes(bits_);  // What was one place is both.
  each_bit(folded, bits_.size(), [&](std::size_t bit) {
    bits_[bit / 8] = static_cast<char>(bits_[bit / 8] | (1 << bit % 8));
    return true;
  });
}

bool WordFilter::may_have(std::string_view folded) const {
  return !bits_.empty() && each_bit(folded, bits_.size(), [&](std::size_t bit) {
    return ((bits_[bit / 8] >> bit % 8) & 1) != 0;
  });
}

// Half as large as long as a third of the bits at most are set then.
Bytes WordFilter::stored() const {
  auto bits = bits_;
  while (bits.size() > kBytesMin) {
    std::size_t set = 0;
    for (const char byte : bits)
      set += static_cast<std::size_t>(std::popcount(static_cast<unsigned char>(byte)));
    if (set * 6 > bits.size() * 8) break;
    const auto half = bits.size() / 2;
    for (std::size_t i = 0; i < half && !planted("index-forgets-words"); ++i)
      bits[i] = static_cast<char>(bits[i] | bits[half + i]);
    bits.resize(half);
  }
  return bits;
}

}  // namespace eole::sink
