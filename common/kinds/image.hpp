#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr Argument kImageArguments[] = {
    {"artifact", Type::kSha256, "the picture: an artifact's SHA-256"},
    {"url", Type::kWebUrl, "the picture: where to fetch it", false, {}, 1, kUrlBytesMax},
    {"data", Type::kBytes, "the picture itself", false, {}, 1, kTextBytesMax},
    {"name", Type::kText, "the artifact's name", false, {}, 1, kNameBytesMax},
    {"quality", Type::kInteger, "of the JPEG", false, "85", 1, 100},
    {"width", Type::kInteger, "pixels at most, as it is shown; the shape is kept; 0: any", false,
     "0", 0, 16384},
    {"height", Type::kInteger, "the same", false, "0", 0, 16384},
};
inline constexpr std::string_view kImageChoice[] = {"artifact", "url", "data"};

inline constexpr Kind kImage{
    .name = "image",
    .about = "Compress a JPEG or PNG, and make it smaller if asked.",
    .result = "a JPEG as an artifact, upright and in sRGB; the input (`kept`) if it would grow",
    .runner = Runner::kProcess,
    .arguments = kImageArguments,
    .per_word = "artifact",
    .words = "files, URLs or artifacts (SHA-256); a task for each",
    .one_of = kImageChoice,
};

}  // namespace eole::kinds
