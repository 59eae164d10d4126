#pragma once
#include <set>
#include <string>
#include <vector>

#include "cli/common.hpp"
#include "clients/cpp/blocking/artifact_client.hpp"

namespace eole::cli {

/// A file of a task, under a name that is one in any directory.
struct Artifact {
  std::string sha256;
  std::string name;
  std::string path;  // Where it goes.
};

/// Those of a result.
std::vector<Artifact> artifacts_of(const Value& view);

/// "name.ext", then "name-1.ext" …: two artifacts of one name are two files.
std::string free_name(const std::string& name, std::set<std::string>& taken);

/// Makes it if it is not there. Throws Failure.
void need_directory(const std::string& path);

/// Lays the files of results into a directory, by their names, as they come.
class FilesOfResults {
 public:
  FilesOfResults(Cluster& cluster, std::string directory);
  /// False if one could not be laid, which is said: nothing that lies there is overwritten.
  bool lay(const Value& view);

 private:
  std::string directory_;
  std::set<std::string> taken_;
  client::ArtifactClient client_;
};

}  // namespace eole::cli
