#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace eole {

/// A byte buffer. std::string: cheap to move, comparable, and every library takes it.
using Bytes = std::string;

/// Appends a fixed-size integer, little-endian (every machine that Eole runs on is).
template <class Int>
requires std::is_integral_v<Int>
void put(Bytes& out, std::type_identity_t<Int> value) {
  char raw[sizeof(Int)];
  std::memcpy(raw, &value, sizeof(Int));
  out.append(raw, sizeof(Int));
}

/// The same at a place of a fixed-size header that is known to be large enough.
template <class Int>
void write_at(char* header, std::size_t at, std::type_identity_t<Int> value) {
  std::memcpy(header + at, &value, sizeof(Int));
}
template <class Int>
Int read_at(std::string_view header, std::size_t at) {
  Int value{};
  std::memcpy(&value, header.data() + at, sizeof(Int));
  return value;
}

/// Reads fixed-size integers and strings from hostile bytes. After the first read past the end
/// ok() is false and every further read gives zero or nothing.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <class Int>
  requires std::is_integral_v<Int> Int get() {
    Int value{};
    if (rest_.size() < sizeof(Int)) return fail(), value;
    std::memcpy(&value, rest_.data(), sizeof(Int));
    rest_.remove_prefix(sizeof(Int));
    return value;
  }
  /// The next `size` bytes, a view into the input.
  std::string_view take(std::size_t size) {
    if (rest_.size() < size) return fail(), std::string_view{};
    const auto part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }
  bool ok() const { return ok_; }
  bool is_done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace eole
