#pragma once
#include <string>

namespace eole::cli {

/// `help` with no line over `columns`: what is cut off a line goes on below it, under the column
/// where its description begins, together with the rest of its sentence.
std::string wrapped(const std::string& help, std::size_t columns);

}  // namespace eole::cli
