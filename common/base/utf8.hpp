#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Whether bytes are text at all, where it may be cut, and which of it may not be shown as it is.
namespace eole {

struct Character {
  std::uint32_t code = 0;  // Of an invalid one the byte.
  std::size_t bytes = 1;
  bool is_valid = false;
};
/// The first of `bytes`, which are not empty; one byte if none begins there that is valid.
Character first_character(std::string_view bytes);
bool is_utf8(std::string_view bytes);
/// C0, DEL and C1.
bool is_control(std::uint32_t code);
/// Marks and overrides of direction, and separators that end a line.
bool turns_text(std::uint32_t code);
/// How many bytes at the end begin a character that is not complete: zero to three.
std::size_t unfinished_at_end(std::string_view bytes);
/// How many bytes at the begin end a character that began before: zero to three.
std::size_t unbegun_at_begin(std::string_view bytes);

/// At most `bytes` of it, cut between two characters.
std::string_view cut_text(std::string_view text, std::size_t bytes);

}  // namespace eole
