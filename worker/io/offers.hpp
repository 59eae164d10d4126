#pragma once
#include "worker/core/config.hpp"

namespace eole::worker {

/// Adds to what was said the resources that every machine has, cpus and mem, unless something was
/// said of them. Throws std::runtime_error if what was said makes no sense.
void complete(Config& config);

}  // namespace eole::worker
