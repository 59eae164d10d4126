#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "common/base/text.hpp"
#include "common/protocol/head.hpp"

/// Turns the structs of messages.hpp into messages and back. A struct names itself (kName) and
/// shows its fields in wire order (fields); one with a payload has a member of that name. Behind
/// the first kFieldsNeeded, if it says so, fields are left out up to the last that is not zero or
/// empty.
namespace eole::protocol {

namespace detail {

struct FieldCounter {
  std::uint32_t count = 0;
  std::uint32_t said = 0;  // Up to the last that is not zero or empty.
  template <class Field>
  void operator()(const Field& field) {
    ++count;
    if (field != Field{}) said = count;
  }
};

struct FieldWriter {
  HeadWriter& head;
  std::uint32_t left = UINT32_MAX;
  template <class Field>
  void operator()(const Field& field) {
    if (left == 0) return;
    --left;
    if constexpr (std::is_arithmetic_v<Field> || std::is_enum_v<Field>) {
      head.put(static_cast<std::uint64_t>(field));
    } else {
      head.put(std::string_view(field));
    }
  }
};

struct FieldReader {
  HeadReader& head;
  std::uint32_t needed = UINT32_MAX;  // The first fields: those behind may be missing.
  bool in_range = true;
  template <class Field>
  void operator()(Field& field) {
    if (needed == 0 && head.is_done()) return;
    if (needed > 0) --needed;
    if constexpr (std::is_arithmetic_v<Field>) {
      const auto number = head.next_number();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<Field>::max())) in_range = false;
      field = static_cast<Field>(number);
    } else {
      field = head.next_text();
    }
  }
};

template <class T>
concept HasPayload = requires(T message) {
  message.payload;
};

template <class T>
concept IsShort = requires {
  requires T::kIsShort;
};

template <class T>
constexpr std::uint32_t fields_needed() {
  if constexpr (requires { T::kFieldsNeeded; })
    return T::kFieldsNeeded;
  else
    return IsShort<T> ? 0 : UINT32_MAX;
}

}  // namespace detail

template <class T>
Message encode(T message) {
  detail::FieldCounter counter;
  message.fields(counter);
  const auto count = std::min(counter.count, std::max(counter.said, detail::fields_needed<T>()));
  HeadWriter head(T::kName, count);
  detail::FieldWriter writer{head, count};
  message.fields(writer);
  Message out{head.take(), {}};
  if constexpr (detail::HasPayload<T>) out.payload = std::move(message.payload);
  return out;
}

/// The head of a struct that is written without the fields at its end that are zero or empty
/// (kIsShort).
template <class T>
Bytes encode_short(T record) {
  static_assert(detail::IsShort<T>);
  detail::FieldCounter counter;
  record.fields(counter);
  HeadWriter head(T::kName, counter.said);
  detail::FieldWriter writer{head, counter.said};
  record.fields(writer);
  return head.take();
}

/// The struct in a message whose head was parsed and whose name is T's.
template <class T>
Expected<T> decode(HeadReader head, Bytes payload) {
  T message;
  detail::FieldReader reader{head, detail::fields_needed<T>()};
  message.fields(reader);
  if (!head.ok() || !reader.in_range)
    return Error{text(T::kName, ": fields missing, or of the wrong type or size")};
  if constexpr (detail::HasPayload<T>) {
    message.payload = std::move(payload);
  } else if (!payload.empty()) {
    return Error{text(T::kName, ": has a payload, and takes none")};
  }
  return message;
}

}  // namespace eole::protocol
