#pragma once
#include <cstddef>
#include <cstdint>
#include <msgpack.hpp>
#include <string_view>

/// How a flat msgpack array is read from hostile bytes: one field after the other, no nesting,
/// nothing behind it, nothing allocated.
namespace eole::protocol {

/// Hands fields to `add.number`, `add.text` and `add.bytes`; whichever returns false ends it.
template <class Add>
struct FlatVisitor : msgpack::null_visitor {
  FlatVisitor(Add& taker, std::size_t most) : add(taker), fields_max(most) {}
  bool visit_positive_integer(std::uint64_t number) { return in_array && add.number(number); }
  bool visit_str(const char* text, std::uint32_t size) {
    return in_array && add.text({text, size});
  }
  bool visit_bin(const char* bytes, std::uint32_t size) {
    return in_array && add.bytes({bytes, size});
  }
  bool start_array(std::uint32_t count) {
    if (in_array || count > fields_max) return false;
    return in_array = true;
  }
  bool visit_nil() { return false; }
  bool visit_boolean(bool) { return false; }
  bool visit_negative_integer(std::int64_t) { return false; }
  bool visit_float32(float) { return false; }
  bool visit_float64(double) { return false; }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_map(std::uint32_t) { return false; }
  void parse_error(std::size_t, std::size_t) {}
  void insufficient_bytes(std::size_t, std::size_t) {}
  Add& add;
  std::size_t fields_max;
  bool in_array = false;
};

/// False if `array` is anything but one flat array of at most `fields_max` fields that were taken.
template <class Add>
bool read_flat(std::string_view array, std::size_t fields_max, Add&& add) {
  FlatVisitor visitor(add, fields_max);
  std::size_t end = 0;
  return msgpack::parse(array.data(), array.size(), end, visitor) && visitor.in_array &&
         end == array.size();
}

}  // namespace eole::protocol
