#pragma once
#include "worker/picture/read_jpeg.hpp"

namespace eole::picture {

/// The same planes with the job's quality, a row of blocks at a time. The reader must have them as
/// they are wanted.
void recode(JpegReader& reader, const Metadata& metadata, const Job& job, Output& output);

}  // namespace eole::picture
