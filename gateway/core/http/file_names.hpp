#pragma once
#include <string>
#include <string_view>

namespace eole::gateway::http {

constexpr std::size_t kFileNameBytesMax = 200;  // Of a name as it is kept: there is room for an id.

/// What of a name that a client sent may be shown and written as a file's: its last part, without
/// what systems or terminals take for something else. Empty: nothing is left.
std::string safe_file_name(std::string_view sent);

/// "photo" and ".jpg" of "photo.jpg"; ".jpg" alone, or what is no ending, belongs to the stem.
struct NameParts {
  std::string_view stem;
  std::string_view ending;
};
NameParts name_parts(std::string_view name);

/// "a%20b": as a value of a query, and of an extended parameter.
std::string percent_encode(std::string_view text);
/// Content-Disposition: attachment with the name, for old readers too (RFC 6266, RFC 8187).
std::string attachment(std::string_view name);

/// The media type of a file by its first bytes (kTypeBytes do); application/octet-stream if it is
/// none that may be shown.
std::string_view type_by_content(std::string_view head);
constexpr std::size_t kTypeBytes = 16;
/// One that kind `image` takes.
bool is_picture(std::string_view type);

}  // namespace eole::gateway::http
