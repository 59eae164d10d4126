#pragma once
#include <cstdint>
#include <string_view>

namespace eole {

/// CRC32C (Castagnoli) of `bytes`, continued from `seed` (zero to start): the checksum of every
/// record on disk. At most 2 GiB at a time.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace eole
