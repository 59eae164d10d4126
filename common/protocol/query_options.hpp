#pragma once
#include "common/base/expected.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

constexpr std::size_t kOptionsBytesMax = 64 << 10;  // Of a query.

/// What is said with a query; null: nothing. Errors: too much of it, or no msgpack.
Expected<Value> options_of(const Query& query);

}  // namespace eole::protocol
