#pragma once
#include <string>

namespace eole::process {

/// What this process makes from here on is for its owner alone, whatever umask it was given.
void keep_private();

/// Makes the directory, and what is missing above it, for its owner alone; or takes one that is so
/// already. One of the owner's that is empty is closed to others. Throws std::runtime_error if it
/// is another user's, reached through another user's link, or open to others and in use.
void make_private_directory(const std::string& path);

}  // namespace eole::process
