#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/logins.hpp"

/// What may be told of a URL, and what a file from there is called. Pure.
namespace eole::worker {

/// `words` for an error: without passwords and control characters, valid UTF-8, and not longer than
/// a person reads.
std::string tellable(std::string_view words);

/// "https" of "HTTPS://…"; empty if there is none.
std::string scheme_of(std::string_view url);

/// A file name that is harmless wherever it lands: one path segment of at most 255 bytes of UTF-8
/// without control characters and leading dots. Nothing if nothing of it remains.
std::optional<std::string> safe_name(std::string_view name);

/// The last segment of the URL's path, decoded; the host if there is none.
std::string name_in_url(std::string_view url);

/// The file name of a Content-Disposition header; nothing if it names none.
std::optional<std::string> name_in_disposition(std::string_view value);

}  // namespace eole::worker
