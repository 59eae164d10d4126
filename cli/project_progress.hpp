#pragma once
#include <map>
#include <memory>
#include <string>

#include "cli/common.hpp"
#include "cli/progress.hpp"
#include "clients/cpp/blocking/log_reader.hpp"

namespace eole::cli {

/// Hears what the tasks of a project that run say of themselves.
class ProjectProgress {
 public:
  ProjectProgress(Cluster& cluster, const std::string& project);
  void hear(Duration patience);
  /// Of those that run now (of more than a page some), together.
  std::string text();

 private:
  static constexpr std::size_t kHeardMax = 10'000;  // Tasks of any project.
  Cluster& cluster_;
  std::string project_;
  std::unique_ptr<client::LogReader> reader_;
  std::map<TaskId, TaskProgress> heard_;
};

}  // namespace eole::cli
