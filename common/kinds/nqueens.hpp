#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr int kQueensMax = 24;  // More take years.

inline constexpr Argument kNqueensArguments[] = {
    {"n", Type::kInteger, "queens", true, {}, 1, kQueensMax},
    {"prefix", Type::kIntegers, "columns of the queens in the first rows", false, "[]", 0,
     kQueensMax},
    {"show", Type::kInteger, "boards to show", false, {}, 1, 1000},
};

inline constexpr Kind kNqueens{
    .name = "nqueens",
    .about = "Count the ways to put n queens on a board.",
    .result = "`solutions`, `boards`",
    .runner = Runner::kThread,
    .arguments = kNqueensArguments,
    .per_word = "n",
};

}  // namespace eole::kinds
