#pragma once
#include <optional>
#include <utility>

#include "common/base/bytes.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"

namespace eole::relay {

/// The task that an event of the log `log` becomes, as a submit and its groups. What cannot be made
/// of it is a task, too: an echo of why, in the project NAME/unfit, so that it is told and found;
/// but nothing if it is such an echo itself, of whichever chain: they would go round for ever.
std::optional<std::pair<protocol::Submit, Bytes>> submission_of(const protocol::Value& chain,
                                                                const protocol::Value& event,
                                                                std::uint64_t log);

}  // namespace eole::relay
