#pragma once
#include <string>

#include "cli/common.hpp"

namespace eole::cli::ledger {

struct MirrorOptions {
  std::string directory;
  std::string group = "ledger";
  std::string project;  // Only those whose names begin so.
  std::string remote;
  std::uint64_t count = UINT64_MAX;
};
/// Mirrors until it is told to end, or has so many records; the exit code.
int mirror(Cluster& cluster, const MirrorOptions& options, bool is_json);

/// Submits what a person has written into todo, once; the exit code.
int submit(Cluster& cluster, const std::string& directory, const std::string& project,
           bool is_json);

/// Puts a project's outputs together, of what lies in done; the exit code.
int rebuild(const std::string& directory, const std::string& project, const std::string& how,
            const std::string& output);

}  // namespace eole::cli::ledger
