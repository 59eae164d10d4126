#include "common/net/cluster_file.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)eole::net::parse_cluster_file({reinterpret_cast<const char*>(data), size}, "fuzz");
  return 0;
}
