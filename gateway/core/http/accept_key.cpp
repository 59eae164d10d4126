#include <array>
#include <bit>

#include "gateway/core/http/websocket.hpp"

// RFC 6455 wants SHA-1 (RFC 3174) where it proves nothing but that WebSocket is spoken.
namespace eole::gateway::http {

namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

using Digest = std::array<std::uint32_t, 5>;

void add_block(Digest& digest, std::string_view block) {
  std::array<std::uint32_t, 80> words{};
  for (std::size_t i = 0; i < 64; ++i)
    words[i / 4] = words[i / 4] << 8 | static_cast<unsigned char>(block[i]);
  for (std::size_t i = 16; i < 80; ++i)
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  auto [a, b, c, d, e] = digest;
  for (std::size_t i = 0; i < 80; ++i) {
    const auto [mixed, constant] = i < 20   ? std::pair{(b & c) | (~b & d), 0x5A827999U}
                                   : i < 40 ? std::pair{b ^ c ^ d, 0x6ED9EBA1U}
                                   : i < 60 ? std::pair{(b & c) | (b & d) | (c & d), 0x8F1BBCDCU}
                                            : std::pair{b ^ c ^ d, 0xCA62C1D6U};
    const auto next = std::rotl(a, 5) + mixed + e + constant + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const Digest added{a, b, c, d, e};
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] += added[i];
}

std::string sha1(std::string text) {
  const auto bits = std::uint64_t{text.size()} * 8;
  text += '\x80';
  while (text.size() % 64 != 56) text += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(bits >> shift);
  Digest digest{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  for (std::size_t at = 0; at < text.size(); at += 64)
    add_block(digest, std::string_view(text).substr(at, 64));
  std::string bytes;
  for (const auto word : digest)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift);
  return bytes;
}

}  // namespace

std::string accept_key(std::string_view key) {
  const auto digest = sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11") + '\0';
  std::string letters;
  for (std::size_t i = 0; i < digest.size(); i += 3) {  // 21 bytes, of which the last is none.
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | static_cast<unsigned char>(digest[i + k]);
    for (int shift = 18; shift >= 0; shift -= 6) letters += kLetters[(group >> shift) & 63];
  }
  letters.back() = '=';
  return letters;
}

bool is_key(std::string_view key) {
  // 16 bytes are 22 letters, the last of which has two bits, and "==".
  if (key.size() != 24 || !key.ends_with("==")) return false;
  if (key.substr(0, 22).find_first_not_of(kLetters) != key.npos) return false;
  return kLetters.find(key[21]) % 16 == 0;
}

}  // namespace eole::gateway::http
