#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr Kind kDead{
    .name = "dead",
    .about = "Fail, with `error` of the arguments as the reason. For what is no task and could not "
             "be dealt with: with one attempt it is a dead letter.",
    .result = "never any: it fails with `error` of its arguments",
    .runner = Runner::kThread,
    .takes_anything = true,
};

}  // namespace eole::kinds
