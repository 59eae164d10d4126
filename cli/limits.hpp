#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>

namespace eole::cli {

constexpr std::uint64_t kCountMax = 1ULL << 40;  // Of tasks, rows, results: more is a mistake.

/// For the check() of an option: what else is given is refused with what it is, and the limits.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);
CLI::Validator size_from(std::uint64_t least_bytes);

}  // namespace eole::cli
