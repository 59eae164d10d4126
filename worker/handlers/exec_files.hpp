#pragma once
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "worker/handlers/handler.hpp"

namespace eole::worker {

/// Lays artifacts into a command's directory: a map of names (with directories before them) and
/// digests. They may be run. Errors name the file, and what is wrong with it.
Expected<void> lay_files(const Value& files, const std::string& directory, TaskContext& context);

struct Outputs {
  std::vector<FileResult> files;
  std::string problem;  // A pattern that no file fits, too many files, or its time is over.
};
/// The regular files in a command's directory whose path there fits one of the patterns, as a shell
/// has them: * and ? do not match a slash, and a leading dot must be written. Each once, in the
/// order of their names. Nothing is followed: a link to elsewhere is no output.
Outputs outputs_in(const std::string& directory, const Value& patterns, const TaskContext& context);

}  // namespace eole::worker
