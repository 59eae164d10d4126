#pragma once
#include <bit>
#include <msgpack.hpp>

#include "common/base/bytes.hpp"

/// msgpack into a byte buffer, in one way for all who write it.
namespace eole::protocol {

struct PackSink {
  Bytes& out;
  void write(const char* bytes, std::size_t size) { out.append(bytes, size); }
};
using Packer = msgpack::packer<PackSink>;

inline void pack_text(Packer& packer, std::string_view text) {
  packer.pack_str(static_cast<std::uint32_t>(text.size()));
  packer.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

inline void pack_bytes(Packer& packer, std::string_view bytes) {
  packer.pack_bin(static_cast<std::uint32_t>(bytes.size()));
  packer.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

/// As it is: the library turns integral ones into integers, and 2 to the 64 overflows there.
inline void pack_real(Packer& packer, double real) {
  auto bits = std::bit_cast<std::uint64_t>(real);
  char raw[9] = {'\xcb'};
  for (int i = 8; i > 0; --i, bits >>= 8) raw[i] = static_cast<char>(bits & 0xFF);
  packer.pack_bin_body(raw, sizeof raw);  // Appends, no more.
}

}  // namespace eole::protocol
