#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr Kind kEcho{
    .name = "echo",
    .about = "Give back whatever the arguments are. For trying things out.",
    .result = "the same",
    .runner = Runner::kInline,
    .words = "words to give back",
    .takes_anything = true,
};

}  // namespace eole::kinds
