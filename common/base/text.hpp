#pragma once
#include <string>
#include <string_view>
#include <type_traits>

namespace eole {

namespace detail {
inline void append_text(std::string& out, std::string_view part) { out += part; }
inline void append_text(std::string& out, char part) { out += part; }
template <class Number>
requires(std::is_arithmetic_v<Number> &&
         !std::is_same_v<Number, char>) void append_text(std::string& out, Number part) {
  out += std::to_string(part);
}
}  // namespace detail

/// Joins strings and numbers into one message: text("task ", 17, ": too large").
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (detail::append_text(out, parts), ...);
  return out;
}

}  // namespace eole
