#pragma once
#include <string>

namespace eole::cli {

/// Whether a person at the terminal says yes; true if there is none: nobody is asked who is not
/// there.
bool is_sure(const std::string& question);

}  // namespace eole::cli
