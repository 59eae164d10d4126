#pragma once
#include <string>

#include "common/protocol/value.hpp"

/// What became of a task, in sentences: from its result, and from what the log has of its attempts.
namespace eole::client {

using protocol::Value;

/// How a settled task ended: {code, text}, as docs/plans.md has the codes.
Value why_ended(const Value& view);

/// What became of a settled task that was to be cancelled: whether it ran, and what ended it.
std::string how_cancelled(const Value& view);

/// Each attempt that ended, the oldest first: {attempt, state, worker, finished, run_seconds,
/// error, text}, without what is not known. `attempts`: what the log has; `view`: the task, whose
/// reasons tell of those that no worker told of.
Value::Array history_of(const Value& view, const Value::Array& attempts);

}  // namespace eole::client
