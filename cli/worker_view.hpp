#pragma once
#include <string>

#include "common/protocol/value.hpp"

namespace eole::cli {

/// What a worker has, as `eole workers` and `eole top` show it: "gpu=a100 licence 1/2 mem 60G/64G",
/// of each resource what is free and all.
std::string offers_shown(const protocol::Value& worker);

}  // namespace eole::cli
