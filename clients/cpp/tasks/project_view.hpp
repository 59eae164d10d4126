#pragma once
#include <string>

#include "common/protocol/value.hpp"

namespace eole::client {

using protocol::Value;

/// A project as people see it, of what the ventilator says (its tasks that are not settled) and
/// what the sink says (those that ended, and how far others say they are), each null if it knows
/// nothing. Pure.
Value project_view(const Value& live, const Value& ended);

/// What to ask the sink of a project, once the ventilator has said this: also what ended since that
/// read the log, so that nothing is counted as both.
Value ended_options(const std::string& project, const Value& live);

}  // namespace eole::client
