#include "cli/artifact_files.hpp"

#include <cstdio>
#include <filesystem>
#include <utility>

#include "cli/progress.hpp"
#include "common/base/ids.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

std::vector<Artifact> artifacts_of(const Value& view) {
  std::vector<Artifact> found;
  const auto add = [&](const Value& artifact) {
    const auto sha256 = artifact["sha256"].text_or("");
    if (!is_sha256(sha256)) return;
    const auto name = artifact["name"].text_or("");
    auto safe = file_name(std::string_view(name).substr(name.find_last_of('/') + 1));
    found.push_back({sha256, safe.empty() ? sha256 : safe, {}});
  };
  if (const auto* several = view["artifacts"].as<Value::Array>()) {
    for (const auto& artifact : *several) add(artifact);
  } else {
    add(view["artifact"]);
  }
  return found;
}

std::string free_name(const std::string& name, std::set<std::string>& taken) {
  constexpr std::size_t kStemMax = 200;
  constexpr std::size_t kEndingMax = 16;
  const auto dot = name.rfind('.');
  const bool has_ending = dot != std::string::npos && dot > 0 && name.size() - dot <= kEndingMax;
  const auto stem = has_ending ? name.substr(0, dot) : name;
  auto candidate = name;
  for (int number = 1; !taken.insert(candidate).second; ++number)
    candidate =
        file_name(text(stem.substr(0, kStemMax), "-", number, has_ending ? name.substr(dot) : ""));
  return candidate;
}

void need_directory(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(path, ignored);
  if (!std::filesystem::is_directory(path, ignored))
    throw Failure{kBadUse, text(shown(path), ": cannot be made a directory")};
}

FilesOfResults::FilesOfResults(Cluster& cluster, std::string directory)
    : directory_(std::move(directory)), client_(cluster.context, cluster.file) {
  need_directory(directory_);
  if (!directory_.ends_with('/')) directory_ += '/';
}

bool FilesOfResults::lay(const Value& view) {
  bool are_laid = true;
  for (const auto& artifact : artifacts_of(view)) {
    const auto name = free_name(artifact.name, taken_);
    ProgressLine line(Unit::kBytes);
    const auto bytes = client_.get(
        artifact.sha256, directory_ + name,
        [&](std::uint64_t done, std::uint64_t total) {
          line.show(done, total, name);
          return true;
        },
        client::IfThere::kRefuse);
    if (bytes) continue;
    line.clear();
    std::fprintf(stderr, "eole: %s\n", shown(bytes.error().message).c_str());
    are_laid = false;
  }
  return are_laid;
}

}  // namespace eole::cli
