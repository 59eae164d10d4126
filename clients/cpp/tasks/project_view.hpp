#pragma once
#include "common/protocol/value.hpp"

namespace eole::client {

using protocol::Value;

/// A project as people see it, of what the ventilator says (its tasks that are not settled) and
/// what the sink says (those that ended), each null if it knows nothing. Pure.
Value project_view(const Value& live, const Value& ended);

}  // namespace eole::client
