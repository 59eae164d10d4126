#include "common/base/crc32c.hpp"

#include <isa-l/crc.h>

namespace eole {

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  // Only read: the library's interface does not say so.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~seed);
}

}  // namespace eole
