#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"

namespace eole::protocol {

/// Writes one flat msgpack array of numbers, texts and bytes.
class FlatWriter {
 public:
  explicit FlatWriter(std::size_t fields);
  FlatWriter& number(std::uint64_t number);
  FlatWriter& text(std::string_view text);
  FlatWriter& bytes(std::string_view bytes);
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

/// Reads one from hostile bytes: at most kFieldsMax fields, no nesting, nothing behind them. Fields
/// that nobody asks for are those of a later release.
class FlatReader {
 public:
  static constexpr std::size_t kFieldsMax = 256;
  static Expected<FlatReader> parse(std::string_view array);

  /// The next field, a view into the array. A missing one, or one of another type, makes ok()
  /// false.
  std::uint64_t next_number();
  std::string_view next_text() { return next(Type::kText).view; }
  std::string_view next_bytes() { return next(Type::kBytes).view; }
  bool ok() const { return ok_; }

 private:
  enum class Type : std::uint8_t { kNumber, kText, kBytes };
  struct Field {
    Type type = Type::kNumber;
    std::uint64_t number = 0;
    std::string_view view = {};
  };
  Field next(Type type);
  std::vector<Field> fields_;
  std::size_t next_ = 0;
  bool ok_ = true;
};

}  // namespace eole::protocol
