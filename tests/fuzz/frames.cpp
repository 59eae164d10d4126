#include "worker/runners/frames/frames.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/allocation_limit.hpp"

// What a child says to its worker, in two pieces: the first byte says where they are cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eole::frames;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const eole::fuzz::AllocationLimit limit(size);
  FrameReader reader;
  for (const auto piece :
       {bytes.substr(0, data[0]), bytes.substr(std::min<std::size_t>(data[0], bytes.size()))}) {
    reader.add(piece);
    while (true) {
      const auto frame = reader.next();
      if (!frame) return 0;
      if (!*frame) break;
      FrameReader again;  // Nothing is made up, and nothing lost.
      again.add(encode(**frame));
      const auto same = again.next();
      if (!same || *same != *frame) __builtin_trap();
    }
  }
  return 0;
}
