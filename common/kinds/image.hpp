#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr std::string_view kImageFormats[] = {"jpeg", "png", "webp", "keep"};
inline constexpr std::string_view kImageChromas[] = {"420", "422", "444"};
inline constexpr std::string_view kImageResizes[] = {"fit", "fill", "crop"};
inline constexpr std::string_view kImageMetadata[] = {"exif", "icc", "xmp"};
inline constexpr double kImageSideMax = 16384;
inline constexpr double kImageSizesMax = 16;

inline constexpr Argument kImageArguments[] = {
    {"artifact", Type::kSha256, "the picture: an artifact's SHA-256"},
    {"url", Type::kWebUrl, "the picture: where to fetch it", false, {}, 1, kUrlBytesMax},
    {"data", Type::kBytes, "the picture itself", false, {}, 1, kTextBytesMax},
    {"name", Type::kText, "the artifact's name", false, {}, 1, kNameBytesMax},
    {"format",
     Type::kText,
     "of the result; keep: the picture's own, or png",
     false,
     R"("jpeg")",
     {},
     {},
     kImageFormats},
    {"quality", Type::kInteger, "of a JPEG or WebP", false, "85", 1, 100},
    {"size_max", Type::kInteger,
     "bytes: by the best quality up to `quality` that has no more; 0: any", false, "0", 0,
     kFileBytesMax},
    {"progressive", Type::kBoolean, "a JPEG that is shown while it comes", false, "false"},
    {"optimise", Type::kBoolean, "a JPEG with Huffman tables of its own: smaller, slower", false,
     "true"},
    {"chroma",
     Type::kText,
     "samples of a JPEG's colour: 420 has a quarter",
     false,
     R"("420")",
     {},
     {},
     kImageChromas},
    {"width", Type::kInteger, "pixels at most, as it is shown; the shape is kept; 0: any", false,
     "0", 0, kImageSideMax},
    {"height", Type::kInteger, "the same", false, "0", 0, kImageSideMax},
    {"resize",
     Type::kText,
     "fit: into width and height; fill: the rest of them in the background; crop: all of them",
     false,
     R"("fit")",
     {},
     {},
     kImageResizes},
    {"sizes",
     Type::kIntegers,
     "an artifact each, with at most so many pixels a side",
     false,
     {},
     1,
     kImageSizesMax},
    {"rotate", Type::kInteger, "degrees clockwise: 0, 90, 180 or 270", false, "0", 0, 270},
    {"grayscale", Type::kBoolean, "without colours", false, "false"},
    {"blur", Type::kNumber, "standard deviation in pixels; 0: none", false, "0", 0, 50},
    {"sharpen", Type::kNumber, "how much, 1 is plenty; 0: none", false, "0", 0, 10},
    {"watermark", Type::kSha256, "an artifact that is laid over the lower right corner"},
    {"background",
     Type::kText,
     "below what is transparent, RRGGBB [white; a PNG or WebP stays transparent]",
     false,
     {},
     6,
     7},
    {"keep", Type::kTexts, "what else of it: exif, icc, xmp", false, {}, 0, 3, kImageMetadata},
};
inline constexpr std::string_view kImageChoice[] = {"artifact", "url", "data"};

inline constexpr Kind kImage{
    .name = "image",
    .about = "Compress a picture (JPEG, PNG, WebP, GIF, BMP, TIFF), and change it if asked.",
    .result =
        "a JPEG, PNG or WebP as an artifact (one for each of sizes), upright and in sRGB; the "
        "input (`kept`) if it would grow, or if it is a JPEG of no more than this quality",
    .runner = Runner::kProcess,
    .arguments = kImageArguments,
    .per_word = "artifact",
    .words = "files, URLs or artifacts (SHA-256); a task for each",
    .one_of = kImageChoice,
};

}  // namespace eole::kinds
