#pragma once
#include <vector>

#include "worker/picture/job.hpp"

namespace eole::picture {

/// What of a picture goes where: a stretch of it becomes `to`, in the middle of `canvas`.
struct Placement {
  Size to;
  Size canvas;
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

/// Never larger than it is. Fit: all of it, in the box. Fill: the same, and the canvas is the box.
/// Crop: it covers the box, and what is beyond it on both sides is cut off.
Placement place(Size source, Size box, Resize how);

/// A placement for each of the job's outputs, of a picture as it is stored.
std::vector<Placement> placements(const Job& job, Size stored, int orientation);

/// By how much (1, 2, 4 or 8) a JPEG may be made smaller while it is decoded: so that there are
/// still two samples for each that is needed, and Lanczos sees no difference.
int reduction(const std::vector<Placement>& placements);

/// Width and height change places between how it is stored and how it is shown.
bool is_turned(const Job& job, int orientation);

}  // namespace eole::picture
