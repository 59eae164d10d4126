#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/protocol/flat.hpp"

namespace eole::protocol {

/// The version that every head carries; another one is refused by name.
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kHeadBytesMax = 4096;

/// One message: a head that says what it is, and a payload of records (may be empty).
struct Message {
  Bytes head;
  Bytes payload;
  bool operator==(const Message&) const = default;
};

/// Writes a head: one flat msgpack array of [version, name, field …].
class HeadWriter {
 public:
  HeadWriter(std::string_view name, std::uint32_t fields) : out_(fields + 2) {
    out_.number(kVersion).text(name);
  }
  void put(std::uint64_t number) { out_.number(number); }
  void put(std::string_view text) { out_.text(text); }
  Bytes take() { return out_.take(); }

 private:
  FlatWriter out_;
};

/// Reads a head from hostile bytes without allocating: at most kFieldsMax scalars, no nesting,
/// nothing behind them.
class HeadReader {
 public:
  static constexpr std::size_t kFieldsMax = 24;
  static Expected<HeadReader> parse(std::string_view head, std::size_t bytes_max = kHeadBytesMax);

  std::string_view name() const { return {fields_[1].text, fields_[1].number}; }
  /// The next field. A missing field or one of the other type makes ok() false.
  std::uint64_t next_number();
  std::string_view next_text();
  /// Whether all that were asked for were there. What is behind them is of a later release, and is
  /// ignored.
  bool ok() const;
  bool is_done() const { return next_ == count_; }

 private:
  struct Field {
    const char* text = nullptr;  // Null: a number.
    std::uint64_t number = 0;    // Or the text's size.
  };
  std::array<Field, kFieldsMax> fields_{};
  std::size_t count_ = 0;
  std::size_t next_ = 2;
  bool ok_ = true;
};

}  // namespace eole::protocol
