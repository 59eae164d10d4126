#include "gateway/core/http/websocket.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/utf8.hpp"
#include "tests/fuzz/allocation_limit.hpp"

// What a client sends, in two pieces: the first byte says where they are cut. How it is cut makes
// no difference.
namespace {

using namespace eole::gateway::http;
constexpr std::size_t kMost = 4096;

std::vector<FrameReader::Event> read(std::initializer_list<std::string_view> pieces) {
  FrameReader reader(kMost);
  std::vector<FrameReader::Event> events;
  for (const auto piece : pieces) {
    reader.add(piece);
    while (auto event = reader.next()) events.push_back(std::move(*event));
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const eole::fuzz::AllocationLimit limit(4 * size);  // Read twice, each event a few words.
  const auto cut = std::min<std::size_t>(data[0], bytes.size());
  const auto events = read({bytes.substr(0, cut), bytes.substr(cut)});
  if (events != read({bytes})) __builtin_trap();
  for (const auto& event : events) {
    if (event.bytes.size() > kMost) __builtin_trap();
    if (event.opcode == Opcode::kText && !eole::is_utf8(event.bytes)) __builtin_trap();
    if (event.opcode == Opcode::kClose && &event != &events.back()) __builtin_trap();
  }
  return 0;
}
