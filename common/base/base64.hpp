#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

namespace eole {

/// As RFC 4648, section 4, has it, padded.
std::string to_base64(std::string_view bytes);
/// Nothing unless it is as to_base64() writes it.
std::optional<Bytes> from_base64(std::string_view letters);

}  // namespace eole
