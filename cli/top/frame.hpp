#pragma once
#include <cstddef>
#include <string>

#include "common/protocol/value.hpp"

namespace eole::cli {

/// A snapshot, as `eole top --json` prints it, on a screen of this size: lines of at most `columns`
/// characters, at most `rows` of them. What there is no room for is counted. Pure.
std::string top_frame(const protocol::Value& snapshot, std::size_t columns, std::size_t rows,
                      bool has_colours);

}  // namespace eole::cli
