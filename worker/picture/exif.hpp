#pragma once
#include <string_view>

namespace eole::picture {

/// EXIF's orientation, 1 to 8, of a block that begins with its TIFF header; 1 if it says none, or
/// is damaged. From 5 on, width and height change places.
int orientation_of(std::string_view tiff);

}  // namespace eole::picture
