#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/process/options.hpp"
#include "worker/command/script.hpp"
#include "worker/runners/frames/frames.hpp"

namespace {

constexpr const char* kHelp =
    "eole-runner KIND -- COMMAND…\n"
    "\n"
    "Offers KIND to the worker that started it, and runs COMMAND for each task: its arguments as "
    "JSON\n"
    "on standard input, its value as JSON on standard output, in a directory of its own. To be "
    "named\n"
    "in `worker --runner`, or by a script that is: docs/runners.md.\n";

}  // namespace

/// Speaks a runner's frames for a program that does not.
int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 1 && (words[0] == "--help" || words[0] == "-h"))
    return std::fputs(kHelp, stdout), 0;
  if (words.size() == 1 && words[0] == "--version")
    return std::printf("eole-runner %s\n", eole::process::kRelease), 0;
  if (words.size() < 3 || words[1] != "--") return std::fputs(kHelp, stderr), 2;
  if (std::getenv(eole::frames::kSocketVariable) == nullptr)
    return std::fputs("eole-runner: no worker started it (worker --runner)\n", stderr), 2;
  std::vector<std::string> command(words.begin() + 2, words.end());
  // Each task has a directory of its own: from there another program would be found, or none.
  char path[PATH_MAX];
  if (command[0].find('/') != std::string::npos && ::realpath(command[0].c_str(), path) != nullptr)
    command[0] = path;
  eole::command::serve_script(words[0], std::move(command));
}
