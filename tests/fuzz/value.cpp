#include "common/protocol/value.hpp"

#include <cstdint>

#include "common/protocol/json_reader.hpp"
#include "tests/fuzz/allocation_limit.hpp"

// Arguments and results: msgpack from the wire, JSON from people's files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using eole::protocol::Value;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 2 == 0) {
    const eole::fuzz::AllocationLimit limit(6 * size);  // Parsed, an element takes 40 bytes.
    if (const auto value = Value::from_msgpack(bytes)) {
      if (!eole::protocol::is_msgpack(bytes)) __builtin_trap();
      const auto bytes_again = value->to_msgpack();  // Compared as bytes: NaN is not NaN.
      const auto again = Value::from_msgpack(bytes_again);
      if (!again || again->to_msgpack() != bytes_again) __builtin_trap();
    }
  } else {
    const auto value = Value::from_json(bytes);
    if (value) (void)value->to_json();
    eole::protocol::JsonReader reader(bytes);
    eole::Bytes packed;
    const bool is_sound = reader.pack(packed) && reader.end();
    if (is_sound != static_cast<bool>(value)) __builtin_trap();
    if (value && value->to_msgpack() != packed) __builtin_trap();
  }
  return 0;
}
