#pragma once
#include <cstddef>
#include <string_view>

/// Where text may be cut, and whether bytes are text at all.
namespace eole {

bool is_utf8(std::string_view bytes);
/// How many bytes at the end begin a character that is not complete: zero to three.
std::size_t unfinished_at_end(std::string_view bytes);
/// How many bytes at the begin end a character that began before: zero to three.
std::size_t unbegun_at_begin(std::string_view bytes);

}  // namespace eole
