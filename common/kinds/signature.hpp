#pragma once
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

/// Who vouches for a command: its arguments carry a signature of all the others.
namespace eole::kinds {

inline constexpr std::string_view kSignature = "signature";

/// What is signed of them: their members in the order of their names, however they came. A
/// signature is worth nothing for any others.
Bytes bytes_to_sign(const protocol::Value& args);

struct Signature {
  std::string public_key;
  std::string bytes;
  /// As the argument, and back.
  std::string text() const;
  static Expected<Signature> of(std::string_view text);
};

/// What hex() wrote, and has so many bytes.
Expected<std::string> bytes_of_hex(std::string_view hex, std::size_t bytes);

}  // namespace eole::kinds
