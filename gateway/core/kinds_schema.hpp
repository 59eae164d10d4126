#pragma once
#include "common/kinds/kind.hpp"
#include "common/protocol/value.hpp"

namespace eole::gateway {

/// A kind as JSON: name, about, result, needs_exec, and `arguments`: a JSON schema (2020-12) of
/// them.
protocol::Value schema_of(const kinds::Kind& kind);

}  // namespace eole::gateway
