#pragma once
#include "cli/common.hpp"

namespace eole::cli {

/// A project as people see it, of what the ventilator says (its tasks that are not settled) and
/// what the sink says (those that ended), each null if it knows nothing. Pure.
Value project_view(const Value& live, const Value& ended);

}  // namespace eole::cli
