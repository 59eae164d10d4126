#pragma once
#include <string>
#include <string_view>

namespace eole::picture {

/// How EXIF says that the picture must be turned or mirrored to be seen upright: 1 (as it is) to 8.
/// 1 of anything that is not there, damaged or unknown. `tiff`: EXIF from its byte order on.
int orientation_of(std::string_view tiff);
/// The same EXIF of a picture that is upright.
std::string upright_exif(std::string tiff);

}  // namespace eole::picture
