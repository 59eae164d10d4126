#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/within.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/task_class.hpp"

/// What a submit has to keep that is within a prefix of projects (ring rule T1).
namespace eole::ventilator {

/// The same groups, of which each class says `within`: what their tasks read of others is within
/// it, too. Errors: a class that makes no sense, or has no room for it.
Expected<Bytes> bound_to(const Within& within, std::string_view groups);

/// Why this is none of the caller's projects; nothing if it is.
std::optional<Error> why_outside(const Within& within, const std::string& project);
/// Why these tasks cannot be taken: a project outside, of their own or of those that they wait for,
/// or a parent outside. What is not known of a settled task does not tell of it. `first`: the
/// number of the first of them. Nothing if they can.
std::optional<Error> why_outside(const Within& within, std::string_view groups, Seq first,
                                 const TaskClasses& classes, const SeqRanges& settled);

}  // namespace eole::ventilator
