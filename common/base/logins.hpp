#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace eole {

/// How many bytes a name and password take, with their @, at the beginning of what stands behind
/// the "://" of a URL; zero: there are none.
std::size_t login_bytes(std::string_view rest);

/// `words`, in which every name and password of a URL is "***"; for errors, results and logs. Also
/// where a slash in a password breaks the URL. Queries stay: they say which file it is.
std::string without_passwords(std::string_view words);

}  // namespace eole
