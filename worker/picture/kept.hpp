#pragma once
#include <string_view>

#include "worker/picture/job.hpp"
#include "worker/picture/output.hpp"

namespace eole::picture {

/// A file with its picture as it is, and without what the job does not keep beside it. False if
/// its parts do not reach to its end mark: then nothing is to be used of the output.
bool copy_picture(Format format, std::string_view file, const Job& job, Output& output);

}  // namespace eole::picture
