#pragma once
#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::protocol {

/// A submit's payload of one task that does what this one did not: with its key, and with its
/// parents by their ids, for it may take results of theirs. Its times are over, and it is part of
/// the same trace. In a project it takes the place of the first that was to do it.
Bytes as_another(const TaskClass& task_class, const TaskSpec& spec, const TaskId& id);

}  // namespace eole::protocol
