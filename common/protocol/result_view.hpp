#pragma once
#include <string>
#include <string_view>

#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

/// A result as people and scripts read it: offset, id, kind, project, state, attempt, worker,
/// submitted and finished (RFC 3339, UTC), run_seconds, and value, error or artifact. `offset` is
/// left out if it is kNoOffset.
constexpr std::uint64_t kNoOffset = UINT64_MAX;
Value view_of(const ResultRecord& result, std::string_view worker, std::uint64_t offset);

/// At most 120 characters of a value, the members of a map by their names.
std::string in_a_line(const Value& value);

constexpr std::size_t kArgsToldMax = 1024;  // Larger ones would make results twice as large.
/// A task's arguments for people: what is a login in a URL is "***". Nothing: they are no value.
Value shown_args(std::string_view args);
/// Tells in a result's body what it was the result of, if there is room for that.
void tell_args(std::string_view args, Value& body);

/// Whether a member of a body has a name that only the record itself tells of.
bool is_of_the_record(std::string_view name);
/// What a body adds to the record, as a map: its other members, or, if it is no map, all of it as
/// bytes in `body`.
Value body_view(std::string_view body);

/// "2026-11-27T07:19:31.250Z"
std::string rfc3339(std::int64_t unix_ms);

}  // namespace eole::protocol
