#pragma once
#include <optional>
#include <string>

#include "cli/common.hpp"
#include "cli/run/outcome.hpp"
#include "cli/run/template.hpp"
#include "clients/cpp/blocking/artifact_client.hpp"

namespace eole::cli {

/// Shows what jobs printed, as they printed it: on standard output and standard error, or in a file
/// for each. Throws Failure.
class Printer {
 public:
  /// `files`: the names of the files for standard output. `is_tagged`: each line has the job's
  /// inputs and a tab in front.
  Printer(Cluster& cluster, std::optional<Template> files, bool is_tagged);
  void print(const JobInputs& inputs, const JobOutcome& outcome);

 private:
  class Lines;
  void copy(const JobOutcome::Stream& stream, std::FILE* to, const std::string& tag);
  client::ArtifactClient artifacts_;
  std::optional<Template> files_;
  bool is_tagged_;
};

}  // namespace eole::cli
