#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"

namespace eole::protocol {

/// Bytes that are not text; in JSON a map with nothing but "base64".
struct Blob {
  Bytes bytes;
  bool operator==(const Blob&) const = default;
};

/// A value as JSON and msgpack know it: arguments of tasks, values of results, answers. An
/// integer is a std::uint64_t only where no std::int64_t holds it.
class Value {
 public:
  using Array = std::vector<Value>;
  using Map = std::vector<std::pair<std::string, Value>>;  // In the order given.
  static constexpr int kDepthMax = 32;

  Value() = default;
  Value(bool value) : data_(value) {}                                      // NOLINT
  Value(std::int64_t value) : data_(value) {}                              // NOLINT
  Value(std::uint64_t value) {                                             // NOLINT
    if (value > static_cast<std::uint64_t>(INT64_MAX)) {
      data_ = value;
    } else {
      data_ = static_cast<std::int64_t>(value);
    }
  }
  Value(int value) : data_(std::int64_t{value}) {}                         // NOLINT
  Value(std::uint32_t value) : data_(std::int64_t{value}) {}               // NOLINT
  Value(double value) : data_(value) {}                                    // NOLINT
  Value(std::string value) : data_(std::move(value)) {}                    // NOLINT
  Value(std::string_view value) : data_(std::string(value)) {}             // NOLINT
  Value(const char* value) : data_(std::string(value)) {}                  // NOLINT
  Value(Blob value) : data_(std::move(value)) {}                           // NOLINT
  Value(Array value) : data_(std::move(value)) {}                          // NOLINT
  Value(Map value) : data_(std::move(value)) {}                            // NOLINT

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data_);
  }
  bool is_null() const { return data_.index() == 0; }
  /// The member of a map by name; null if this is no map or has no such member.
  const Value& operator[](std::string_view name) const;
  /// Sets a member of a map (this becomes one).
  void set(std::string name, Value value);
  std::string text_or(std::string_view fallback) const;
  std::int64_t int_or(std::int64_t fallback) const;

  Bytes to_msgpack() const;
  static Expected<Value> from_msgpack(std::string_view bytes);
  /// One line of JSON. Text that is not UTF-8 has its bad bytes replaced; what a terminal would
  /// take as a command is escaped.
  std::string to_json() const;
  /// Errors: not JSON, too deep, a member twice, an integer beyond 64 bits.
  static Expected<Value> from_json(std::string_view json);

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Blob, Array,
               Map>
      data_;
};

/// True if `bytes` are one msgpack value of at most kDepthMax levels and nothing else. Allocates
/// nothing.
bool is_msgpack(std::string_view bytes);

}  // namespace eole::protocol
