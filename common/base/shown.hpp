#pragma once
#include <string>
#include <string_view>

namespace eole {

/// Which control characters may stay: none, or those that lines of text are made of.
enum class Keep { kNothing, kLines };

/// `written` as it may be sent to a terminal: control characters (C0, DEL, C1), characters that
/// turn the direction of text, and bytes that are not UTF-8 become \x1b, \u{202e}. For whatever
/// comes from others.
std::string shown(std::string_view written, Keep keep = Keep::kNothing);

/// JSON with \u escapes for the characters that shown() escapes and JSON allows as they are.
std::string shown_json(std::string json);

/// `name` as a file of this directory: no slashes, no control characters, valid UTF-8, 255 bytes
/// at most with its ending kept; empty if nothing is left that names a file.
std::string file_name(std::string_view name);

/// At most `columns` characters of `text`, the last one "…" if some are left out.
std::string cut_to(std::string_view text, std::size_t columns);

}  // namespace eole
