#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr std::string_view kCollectHows[] = {"concat", "json", "sum", "manifest"};
inline constexpr Argument kCollectArguments[] = {
    {.name = "how",
     .about = "concat: bytes, json: a list of values, sum: of their numbers, manifest: size and "
              "SHA-256 of each, checked",
     .is_needed = true,
     .choices = kCollectHows},
    {"project",
     Type::kText,
     "whose outputs [the one whose last task this is]",
     false,
     {},
     1,
     kNameBytesMax},
    {"sha256", Type::kSha256, "the digest that the artifact must have"},
    {"name", Type::kText, "the artifact's name [the project's]", false, {}, 1, kNameBytesMax},
};

inline constexpr Kind kCollect{
    .name = "collect",
    .about = "Put the outputs of a project's tasks together, in the order of the tasks.",
    .result =
        "`parts`, `bytes` and an artifact, and what is short as a `list`, too; or the `sum`; fails "
        "with their names if some were not done",
    .runner = Runner::kThread,
    .arguments = kCollectArguments,
    .per_word = "how",
};

}  // namespace eole::kinds
