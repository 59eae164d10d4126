#include "cli/ledger/ledger.hpp"

#include <filesystem>

#include "cli/limits.hpp"
#include "common/base/text.hpp"
#include "common/process/private.hpp"

// Projects in git: what is to do, how far they are, what is done, what the cluster is set to.
namespace eole::cli {

namespace {

using namespace ledger;

struct LedgerOptions {
  MirrorOptions mirror;
  std::string directory;  // Of submit and rebuild.
  std::string project;
  std::string how = "concat";
  std::string output;
};

std::string made(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw Failure{kBadUse, text(directory, ": cannot be made: ", error.message())};
  return std::filesystem::absolute(directory).lexically_normal().string();
}

// As it is meant here, wherever git stands.
std::string remote_of(const std::string& written) {
  if (written.empty() || written.find(':') != written.npos) return written;
  return std::filesystem::absolute(written).lexically_normal().string();
}

int run(LedgerOptions& options, const Globals& globals) {
  auto& mirroring = options.mirror;
  if (mirroring.directory.empty())
    throw Failure{kBadUse, "ledger: give the directory of the repositories"};
  if (mirroring.remote.starts_with("-"))
    throw Failure{kBadUse, text("--remote ", shown(mirroring.remote), ": is no address")};
  process::keep_private();
  mirroring.directory = made(mirroring.directory);
  mirroring.remote = remote_of(mirroring.remote);
  Cluster cluster(globals);
  return mirror(cluster, mirroring, globals.json);
}

}  // namespace

void add_ledger(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("ledger", "Mirror projects into git repositories");
  auto options = std::make_shared<LedgerOptions>();
  auto& mirroring = options->mirror;
  command->add_option("directory", mirroring.directory,
                      "where todo, tracking, done and config are, or are made");
  command->add_option("--count", mirroring.count, "end after so many records")
      ->check(whole_number(1, kCountMax));
  command->add_option("--project", mirroring.project, "only projects whose names begin so");
  command->add_option("--group", mirroring.group,
                      "the group of readers, made when it is not there [ledger]");
  command->add_option("--remote", mirroring.remote,
                      "push to REMOTE/todo.git and so on, from now on");
  command->add_flag("--json", globals.json, "one JSON object a batch");
  const auto sub = [&](const char* name, const char* about) {
    auto* one = command->add_subcommand(name, about);
    one->add_option("directory", options->directory, "of the repositories")->required();
    one->add_option("project", options->project, "its name")->required();
    return one;
  };
  auto* submitting = sub("submit", "Submit the tasks that you wrote into todo/PROJECT, once");
  submitting->add_flag("--json", globals.json, "one JSON object a task");
  submitting->footer(
      "Each todo/PROJECT/NAME.json is a task, a list of tasks, or a line for each, with the\n"
      "words of `eole submit --file`. A file for each task, named by its id, takes its place;\n"
      "the mirror moves it to done. The same content is accepted once within 24 h, whatever is "
      "killed.");
  submitting->callback([=, &globals] {
    process::keep_private();
    if (!std::filesystem::is_directory(options->directory))
      throw Failure{kBadUse, text(options->directory, ": is no directory")};
    Cluster cluster(globals);
    globals.exit_code =
        submit(cluster, made(options->directory), options->project, globals.json);
  });
  auto* rebuilding = sub("rebuild", "Put a project's outputs together from done, without a cluster");
  rebuilding->add_option("--how", options->how, "concat: bytes, json: a list of values [concat]")
      ->one_of({"concat", "json"});
  rebuilding->add_option("-o,--output", options->output,
                         "a file that is not there yet [standard output]");
  rebuilding->footer(
      "In the order of the tasks, as `eole submit collect` does. Refused if a task has not ended,\n"
      "was not done, or is missing, and if an output is an artifact, which only the sink has.");
  rebuilding->callback([=, &globals] {
    globals.exit_code =
        rebuild(options->directory, options->project, options->how, options->output);
  });
  command->footer(
      "  eole ledger ~/ledger --remote git@example.org:jobs\n"
      "  eole ledger submit ~/ledger photos\n"
      "  eole ledger rebuild ~/ledger photos -o photos.txt\n"
      "A commit a batch, about every 2 s while something comes; killed, it goes on where it was.\n"
      "docs/ledger.md has the rest.\n"
      "Exit codes: 0 done, 1 not all is pushed, submitted or there, 2 bad input, 3 no answer.");
  command->callback([=, &globals] {
    if (command->chosen().empty()) globals.exit_code = run(*options, globals);
  });
}

}  // namespace eole::cli
