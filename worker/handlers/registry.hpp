#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/kinds/kinds.hpp"
#include "worker/handlers/handler.hpp"
#include "worker/runners/process/process_runner.hpp"

namespace eole::worker {

/// What runs the tasks of a kind.
struct Handler {
  const kinds::Kind& kind;
  /// `args` are as the kind wants them (kinds::conform): defaults are there, types are right.
  Outcome (*run)(const Value& args, TaskContext& context) = nullptr;
  /// Instead of `run`, where the kind's runner is the loop: on the encoded arguments, and has the
  /// encoded value appended.
  Expected<void> (*run_inline)(std::string_view args, Bytes& out) = nullptr;
  /// Where the kind's runner is a process: what to start.
  ProcessRunner::Program (*program)() = nullptr;
};

/// Every handler there is. A new one is a function in a file here and a line in registry.cpp; what
/// it takes is its kind's description in common/kinds.
const std::vector<Handler>& handlers();
/// Null if there is none for this kind.
const Handler* find_handler(std::string_view kind);

/// What runs the processes of one slot. Those that did not come with Eole offer several kinds.
struct ProcessRunners {
  std::vector<std::unique_ptr<ProcessRunner>> all;
  std::map<std::string, ProcessRunner*, std::less<>> by_kind;
};
/// Those that these kinds need; what runs commands has these words of its settings behind its own.
/// Throws std::runtime_error.
ProcessRunners start_own_runners(ChildProcesses& processes,
                                 const std::set<std::string, std::less<>>& kinds,
                                 const std::vector<std::string>& command_words);

}  // namespace eole::worker
