#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "cli/artifact_files.hpp"
#include "cli/lookup.hpp"
#include "cli/progress.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

struct FetchOptions {
  std::vector<std::string> ids;
  std::string project;
  std::string output;
  bool force = false;
};

std::vector<Artifact> wanted(Cluster& cluster, const FetchOptions& options) {
  std::vector<Artifact> artifacts;
  const auto add = [&](const Value& view) {
    for (auto& artifact : artifacts_of(view)) artifacts.push_back(std::move(artifact));
  };
  for (const auto& id : options.ids) {
    if (is_sha256(id)) {
      artifacts.push_back({id, id, {}});
      continue;
    }
    const auto before = artifacts.size();
    add(look_up(cluster, need_id(id)));
    if (artifacts.size() == before) throw Failure{kNotDone, text(id, ": has no artifact")};
  }
  if (!options.project.empty())
    each_result(cluster, 0, options.project, [&](const Value& view) {
      add(view);
      return true;
    });
  if (artifacts.empty())
    throw Failure{kNotDone, text("fetch: no artifact in project ", shown(options.project))};
  return artifacts;
}

// Where each goes, so that nothing that lies there is lost.
void choose_paths(const FetchOptions& options, std::vector<Artifact>& artifacts) {
  const auto& output = options.output;
  std::error_code ignored;
  const bool is_directory =
      output.empty() || output.back() == '/' || std::filesystem::is_directory(output, ignored);
  if (!is_directory && artifacts.size() > 1)
    throw Failure{kBadUse, text("fetch: ", artifacts.size(), " artifacts, and -o ", shown(output),
                                " is one file (end it with / to make a directory)")};
  if (is_directory && !output.empty()) need_directory(output);
  const auto above = std::filesystem::path(output).parent_path();
  if (!is_directory && !above.empty() && !std::filesystem::is_directory(above, ignored))
    throw Failure{kBadUse, text(shown(above.string()), ": no such directory")};
  std::set<std::string> taken;
  for (auto& artifact : artifacts) {
    artifact.path = is_directory ? free_name(artifact.name, taken) : output;
    if (is_directory && !output.empty())
      artifact.path = text(output, output.back() == '/' ? "" : "/", artifact.path);
    struct stat there {};
    if (::lstat(artifact.path.c_str(), &there) != 0) continue;
    if (!options.force)
      throw Failure{kBadUse,
                    text(shown(artifact.path), ": is there already; --force overwrites it")};
    if (!S_ISREG(there.st_mode))
      throw Failure{kBadUse, text(shown(artifact.path), ": is there, and is no file")};
  }
}

int run(const FetchOptions& options, const Globals& globals) {
  if (options.ids.empty() && options.project.empty())
    throw Failure{kBadUse, "fetch: give ids or --project"};
  Cluster cluster(globals);
  auto artifacts = wanted(cluster, options);
  client::ArtifactClient client(cluster.context, cluster.file);
  if (options.output == "-") {
    if (artifacts.size() > 1)
      throw Failure{kBadUse, text("fetch: ", artifacts.size(), " artifacts, and -o - takes one")};
    need(client.get_to(artifacts[0].sha256,
                       [](std::string_view bytes) {
                         return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
                       }),
         kNotDone);
    flush_output();
    return kDone;
  }
  choose_paths(options, artifacts);
  ProgressLine line(Unit::kBytes);
  const auto if_there = options.force ? client::IfThere::kReplace : client::IfThere::kRefuse;
  int code = kDone;
  for (const auto& artifact : artifacts) {
    const auto name = std::filesystem::path(artifact.path).filename().string();
    const auto bytes = client.get(
        artifact.sha256, artifact.path,
        [&](std::uint64_t done, std::uint64_t total) {
          line.show(done, total, name);
          return true;
        },
        if_there);
    line.clear();
    if (!bytes) {  // The others go on.
      std::fprintf(stderr, "eole: %s\n", shown(bytes.error().message).c_str());
      code = kNotDone;
    } else if (globals.json) {
      print_json(
          Value::Map{{"file", artifact.path}, {"bytes", *bytes}, {"sha256", artifact.sha256}});
    } else {
      std::printf("%s  %s\n", shown(artifact.path).c_str(),
                  human_bytes(static_cast<double>(*bytes)).c_str());
    }
  }
  return code;
}

}  // namespace

void add_fetch(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("fetch", "Fetch the artifacts of tasks");
  auto options = std::make_shared<FetchOptions>();
  command->add_option("id", options->ids, "tasks, or SHA-256 of artifacts");
  command->add_option("--project", options->project, "all artifacts of this project");
  command->add_option("-o,--output", options->output,
                      "a file, a directory (made if it ends with /), - for standard output "
                      "[the artifacts' names, here]");
  command->add_flag("--force", options->force, "overwrite what lies there");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "Nothing that lies there is overwritten without --force; that is checked before anything\n"
      "is transferred. Each file is checked by its SHA-256 before it gets its name; a transfer\n"
      "that broke off goes on where it stopped when it is said again.\n"
      "Examples:\n"
      "  eole fetch k3f9qz-17                   under its own name, here\n"
      "  eole fetch --project photos -o out/    all of a project, into a directory\n"
      "  eole fetch k3f9qz-17 -o - | tar x\n"
      "Exit codes: 0 fetched, 1 no artifact or a transfer failed, 2 bad input or something lies\n"
      "there, 3 no answer.");
  command->callback([options, &globals] { globals.exit_code = run(*options, globals); });
}

}  // namespace eole::cli
