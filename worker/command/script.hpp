#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "worker/runners/frames/frames.hpp"

namespace eole::command {

/// The file that an argument of this name, a SHA-256, is laid beside a script as.
constexpr std::string_view kArtifact = "artifact";

/// How a script's run ended whose exit code was zero: what it printed is the value, as JSON or as a
/// text; the regular files that it left in its directory are its files.
frames::Frame end_of_script(std::uint64_t number, std::string_view printed,
                            const std::string& directory);

/// A runner of one kind: runs `argv` for each task, until its worker is gone.
[[noreturn]] void serve_script(const std::string& kind, std::vector<std::string> argv);

}  // namespace eole::command
