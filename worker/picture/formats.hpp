#pragma once
#include <string_view>

namespace eole::picture {

/// "JPEG", "PNG", "WebP", …: what a file is by its first bytes (kFormatBytes do). Empty: unknown.
std::string_view format_of(std::string_view head);
constexpr std::size_t kFormatBytes = 16;

}  // namespace eole::picture
