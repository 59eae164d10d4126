#pragma once
#include <vector>

#include "worker/picture/job.hpp"

namespace eole::picture {

struct Made {
  Size size;
  int quality = 0;  // Zero: the format has none.
};

struct Report {
  Format format = Format::kJpeg;
  bool is_kept = false;  // The input's picture as it was.
  bool is_first_of_many = false;
  std::vector<Made> made;  // In the order of the job's outputs.
};

/// Writes the job's outputs, or fails.
Report make(Job& job);

}  // namespace eole::picture
