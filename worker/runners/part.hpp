#pragma once
#include "common/protocol/value.hpp"
#include "worker/core/events.hpp"

namespace eole::worker {

/// Adds to a result's body what its project must know of it: which task's part it is, if not its
/// own; and of one that was not done the task itself, for another to do it, if there is room. Of
/// all that are over, for whoever looks for them, their arguments.
void tell_part(const StartTask& task, protocol::TaskState state, protocol::Value& body);

}  // namespace eole::worker
