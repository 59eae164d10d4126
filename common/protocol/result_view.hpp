#pragma once
#include <string_view>

#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

/// A result as people and scripts read it: offset, id, kind, project, state, attempt, worker,
/// finished (RFC 3339, UTC), run_seconds, and value, error or artifact. `offset` is left out if
/// it is kNoOffset.
constexpr std::uint64_t kNoOffset = UINT64_MAX;
Value view_of(const ResultRecord& result, std::string_view worker, std::uint64_t offset);

}  // namespace eole::protocol
