#pragma once
#include <string_view>

#include "common/base/expected.hpp"
#include "common/base/text.hpp"
#include "common/base/time.hpp"

namespace eole::client {

constexpr Duration kPatience = 30s;  // Without an answer to a question that is said every second.

/// What is told of one who did not answer for so long.
inline Error silence_of(std::string_view who, Duration patience) {
  return Error{text("no answer from ", who, " within ", patience / 1s,
                    " s: is it running, and may this key connect?"),
               ErrorCode::kAway};
}

}  // namespace eole::client
