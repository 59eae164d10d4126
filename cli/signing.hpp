#pragma once
#include <string>

#include "cli/common.hpp"

namespace eole::cli {

/// `eole key`: makes one, and signs with it.
void add_key(Command& app, Globals& globals);

/// Puts the signature of its arguments, by the key in this file, among those of a command. An empty
/// path: none is wanted. Throws Failure.
void sign(Value& args, const std::string& key_path);

}  // namespace eole::cli
