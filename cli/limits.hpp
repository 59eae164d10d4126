#pragma once
#include <cstdint>

#include "cli/command.hpp"

namespace eole::cli {

constexpr std::uint64_t kCountMax = 1ULL << 40;  // Of tasks, rows, results: more is a mistake.

/// What else is given is refused with what it is, and the limits.
Limit whole_number(std::uint64_t least, std::uint64_t most);
Limit size_from(std::uint64_t least_bytes);

}  // namespace eole::cli
