#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// How a flat msgpack array is read from hostile bytes: one field after the other, no nesting,
/// nothing behind it, nothing allocated. A head is read for every message, and what a task waits
/// for is written as one, so this costs a few instructions a field; msgpack's own parser, made for
/// any nesting, costs a hundred.
namespace eole::protocol {

/// The bytes of msgpack that are not read yet. What is cut short makes ok() false.
class FlatBytes {
 public:
  explicit FlatBytes(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  template <class Int>
  std::uint64_t number() {
    if (static_cast<std::size_t>(end_ - at_) < sizeof(Int)) return ok_ = false, 0;
    Int big{};
    std::memcpy(&big, at_, sizeof(Int));
    at_ += sizeof(Int);
    if constexpr (sizeof(Int) == 8) return __builtin_bswap64(big);
    if constexpr (sizeof(Int) == 4) return __builtin_bswap32(big);
    if constexpr (sizeof(Int) == 2) return __builtin_bswap16(big);
    return big;
  }
  std::string_view take(std::uint64_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) return ok_ = false, std::string_view{};
    const std::string_view taken(at_, size);
    at_ += size;
    return taken;
  }
  bool ok() const { return ok_; }
  bool is_done() const { return at_ == end_; }

 private:
  static_assert(std::endian::native == std::endian::little);
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

/// Hands the next field to `add.number`, `add.text` or `add.bytes`; false if it is none of these,
/// or was not taken.
template <class Add>
bool read_flat_field(FlatBytes& bytes, Add& add) {
  using U8 = std::uint8_t;
  using U16 = std::uint16_t;
  using U32 = std::uint32_t;
  const auto number = [&](std::uint64_t is) { return bytes.ok() && add.number(is); };
  const auto text = [&](std::uint64_t size) {
    const auto taken = bytes.take(bytes.ok() ? size : 0);
    return bytes.ok() && add.text(taken);
  };
  const auto blob = [&](std::uint64_t size) {
    const auto taken = bytes.take(bytes.ok() ? size : 0);
    return bytes.ok() && add.bytes(taken);
  };
  const auto type = bytes.number<U8>();
  if (type <= 0x7f) return number(type);
  if (type >= 0xa0 && type <= 0xbf) return text(type - 0xa0);
  switch (type) {
    case 0xc4:
      return blob(bytes.number<U8>());
    case 0xc5:
      return blob(bytes.number<U16>());
    case 0xc6:
      return blob(bytes.number<U32>());
    case 0xcc:
      return number(bytes.number<U8>());
    case 0xcd:
      return number(bytes.number<U16>());
    case 0xce:
      return number(bytes.number<U32>());
    case 0xcf:
      return number(bytes.number<std::uint64_t>());
    case 0xd9:
      return text(bytes.number<U8>());
    case 0xda:
      return text(bytes.number<U16>());
    case 0xdb:
      return text(bytes.number<U32>());
    default:
      return false;
  }
}

/// False if `array` is anything but one flat array of at most `fields_max` fields that were taken.
template <class Add>
bool read_flat(std::string_view array, std::size_t fields_max, Add&& add) {
  FlatBytes bytes(array);
  const auto type = bytes.number<std::uint8_t>();
  auto count = type >= 0x90 && type <= 0x9f ? type - 0x90
               : type == 0xdc               ? bytes.number<std::uint16_t>()
               : type == 0xdd               ? bytes.number<std::uint32_t>()
                                            : fields_max + 1;
  if (!bytes.ok() || count > fields_max) return false;
  for (; count > 0; --count)
    if (!read_flat_field(bytes, add)) return false;
  return bytes.is_done();
}

}  // namespace eole::protocol
