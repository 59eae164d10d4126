#include "worker/handlers/exec_files.hpp"

#include <fnmatch.h>
#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "common/base/ids.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::worker {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kOutputsMax = 1000;  // Artifacts of one task.

// Below the directory, whoever wrote it; git's own files would be its settings.
bool is_inside(const fs::path& path) {
  if (path.empty() || path.is_absolute() || path.filename().empty()) return false;
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) {
    return part == ".." || part == "." || part.native().find('\0') != std::string::npos ||
           ::strcasecmp(part.c_str(), ".git") == 0;
  });
}

std::string text_of(const Value& value) {
  const auto* bytes = value.as<protocol::Blob>();
  return bytes != nullptr ? bytes->bytes : value.text_or("");
}

}  // namespace

Expected<void> lay_files(const Value& files, const std::string& directory, TaskContext& context) {
  const auto* members = files.as<Value::Map>();
  if (members == nullptr) return {};
  for (const auto& member : *members) {
    const auto& name = member.first;
    const auto sha256 = member.second.text_or("");
    const auto refuse = [&](const std::string& why) {
      return Error{text("files ", shown(name), ": ", why)};
    };
    if (!is_inside(name)) return refuse("is no path below the command's directory");
    if (!is_sha256(sha256)) return refuse(text(shown(sha256), " is no SHA-256"));
    const auto path = fs::path(directory) / name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return refuse(error.message());
    if (fs::exists(fs::symlink_status(path, error))) return refuse("is there already");
    if (auto fetched = context.fetch(sha256, path, UINT64_MAX); !fetched)
      return refuse(fetched.error().message);
    ::chmod(path.c_str(), 0700);
  }
  return {};
}

Outputs outputs_in(const std::string& directory, const Value& patterns,
                   const TaskContext& context) {
  Outputs outputs;
  auto& files = outputs.files;
  const auto* list = patterns.as<Value::Array>();
  if (list == nullptr) return outputs;
  std::vector<bool> is_met(list->size());
  std::error_code error;
  for (fs::recursive_directory_iterator
           at(directory, fs::directory_options::skip_permission_denied, error),
       end;
       !error && at != end; at.increment(error)) {
    if (context.is_cancelled()) {
      outputs.problem = "there was no time to look through all of its directory";
      break;
    }
    std::error_code none;
    if (at->symlink_status(none).type() != fs::file_type::regular) continue;
    const auto name = at->path().lexically_relative(directory).string();
    bool is_output = false;
    for (std::size_t i = 0; i < list->size(); ++i)
      if (::fnmatch(text_of((*list)[i]).c_str(), name.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0)
        is_met[i] = is_output = true;
    if (!is_output) continue;
    if (files.size() == kOutputsMax) {
      outputs.problem = text("more than ", kOutputsMax, " files");
      break;
    }
    files.push_back({at->path().string(), name});
  }
  const auto missing = std::find(is_met.begin(), is_met.end(), false);
  if (error)
    outputs.problem = error.message();
  else if (outputs.problem.empty() && missing != is_met.end())
    outputs.problem = text(
        "no file ", shown(text_of((*list)[static_cast<std::size_t>(missing - is_met.begin())])));
  std::sort(files.begin(), files.end(),
            [](const FileResult& a, const FileResult& b) { return a.name < b.name; });
  return outputs;
}

}  // namespace eole::worker
