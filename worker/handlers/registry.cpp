#include "worker/handlers/registry.hpp"

#include "common/kinds/collect.hpp"
#include "common/kinds/dead.hpp"
#include "common/kinds/download.hpp"
#include "common/kinds/echo.hpp"
#include "common/kinds/exec.hpp"
#include "common/kinds/image.hpp"
#include "common/kinds/nqueens.hpp"
#include "common/kinds/sleep.hpp"
#include "worker/handlers/kinds.hpp"

namespace eole::worker {

const std::vector<Handler>& handlers() {
  static const std::vector<Handler> all{
      {kinds::kCollect, run_collect},
      {kinds::kDead, run_dead},
      {kinds::kDownload, run_download},
      {kinds::kEcho, nullptr, echo},
      {kinds::kExec, run_exec, nullptr, command_program},
      {kinds::kImage, run_image, nullptr, picture_program},
      {kinds::kNqueens, run_nqueens},
      {kinds::kSleep, run_sleep},
  };
  return all;
}

const Handler* find_handler(std::string_view kind) {
  for (const auto& handler : handlers())
    if (handler.kind.name == kind) return &handler;
  return nullptr;
}

ProcessRunners start_own_runners(ChildProcesses& processes,
                                 const std::set<std::string, std::less<>>& kinds,
                                 const std::vector<std::string>& command_words) {
  ProcessRunners runners;
  for (const auto& handler : handlers())
    if (handler.program != nullptr && kinds.contains(handler.kind.name)) {
      auto program = handler.program();
      if (handler.kind.needs_exec)
        program.argv.insert(program.argv.end(), command_words.begin(), command_words.end());
      runners.all.push_back(std::make_unique<ProcessRunner>(processes, std::move(program)));
      runners.by_kind.emplace(handler.kind.name, runners.all.back().get());
    }
  return runners;
}

}  // namespace eole::worker
