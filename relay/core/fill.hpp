#pragma once
#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"

namespace eole::relay {

/// What a chain's task says, with what an event has in its places: a text `$value.url` is that
/// member of the event, whatever it is; `photos/${id}.jpg` has its text within another one; `$$` is
/// a dollar. Errors name what the event does not have.
Expected<protocol::Value> fill(const protocol::Value& written, const protocol::Value& event);

}  // namespace eole::relay
