#pragma once
#include <memory>

#include "worker/core/events.hpp"

namespace eole::worker {

/// Runs the tasks of a batch here and now: those of kinds whose runner is the loop.
BatchFinished run_inline(std::shared_ptr<const Batch> batch);

}  // namespace eole::worker
