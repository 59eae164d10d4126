#pragma once
#include "worker/picture/input.hpp"
#include "worker/picture/job.hpp"
#include "worker/picture/output.hpp"
#include "worker/picture/picture.hpp"
#include "worker/picture/placement.hpp"

/// The formats. What cannot be read right ends the program with the reason.
namespace eole::picture {

/// As YCbCr if that is all the job needs, and made smaller by `reduction` while it is decoded.
Decoded read_jpeg(Input& input, const Job& job);
Decoded read_png(Input& input, const Job& job);
Decoded read_webp(Input& input, const Job& job);
Decoded read_gif(Input& input, const Job& job);
Decoded read_bmp(Input& input, const Job& job);
Decoded read_tiff(Input& input, const Job& job);

/// Encodes with another quality than the job's.
void write_jpeg(const Picture& picture, const Metadata& metadata, const Job& job, int quality,
                Output& output);
void write_webp(const Picture& picture, const Metadata& metadata, int quality, Output& output);
void write_png(const Picture& picture, const Metadata& metadata, Output& output);

}  // namespace eole::picture
