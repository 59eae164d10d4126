#pragma once
#include <string>

namespace eole::net {

/// Writes a file that only its owner can read (0600), whole or not at all, durable when it returns;
/// safe in a directory that others may write to. Throws std::runtime_error.
void write_private_file(const std::string& path, const std::string& content);

}  // namespace eole::net
