#include "cli/script.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "clients/cpp/blocking/artifact_client.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace fs = std::filesystem;

namespace {

// A name that is no trouble in a line for a shell.
std::string name_of(const std::string& path) {
  const auto name = fs::path(path).filename().string();
  const bool is_plain =
      !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char letter) {
        return std::isalnum(letter) || letter == '.' || letter == '_' || letter == '-';
      });
  return is_plain && name != "." && name != ".." && name != ".git" ? name : "script";
}

}  // namespace

std::string program_of(const std::string& path) { return text("./", name_of(path)); }

Script put_script(const std::string& path, Cluster& cluster) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw Failure{kBadUse, text("--script ", shown(path),
                                fs::exists(path, error) ? ": is no file" : ": no such file")};
  client::ArtifactClient artifacts(cluster.context, cluster.file);
  const auto stored = need(artifacts.put(path));
  return {program_of(path), Value::Map{{name_of(path), stored.sha256}}};
}

}  // namespace eole::cli
