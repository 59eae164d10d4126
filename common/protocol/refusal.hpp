#pragma once
#include <string_view>

#include "common/base/expected.hpp"
#include "common/protocol/messages.hpp"

namespace eole::protocol {

/// How a code is called on the wire and in HTTP; empty of kBad.
std::string_view name_of(ErrorCode code);
/// kBad of a name that nobody here knows.
ErrorCode code_of(std::string_view name);

Refused refused(std::uint64_t request, Error why);
/// What was refused, as its asker tells it: "the sink: …".
Error error_of(std::string_view who, const Refused& refused);

}  // namespace eole::protocol
