#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/process/options.hpp"
#include "worker/core/config.hpp"
#include "worker/core/events.hpp"
#include "worker/handlers/handler.hpp"
#include "worker/handlers/registry.hpp"
#include "worker/runners/process/process_runner.hpp"

/// Runners that did not come with Eole: the worker knows of their kinds what they say.
namespace eole::worker {

struct ForeignOptions {
  std::vector<std::string> commands;
  std::uint64_t runs_max = 0;          // Of one process; zero: any number.
  std::uint64_t memory_bytes_max = 0;  // Likewise.
  void add_flags(process::Options& flags);
};

/// The kinds that come with Eole.
void add_own_kinds(Config& config, bool allow_exec);
/// Starts the processes of all slots: those of the kinds that are configured, and one of each
/// foreign runner. Waits until these have said hello, and adds what they offer to the kinds; one
/// that does not is tried again by its slot. Throws std::runtime_error if one offers what is taken.
std::vector<ProcessRunners> start_runners(ChildProcesses& processes, const ForeignOptions& options,
                                          const std::vector<std::string>& command_words,
                                          Config& config);

/// The slot runs from now on what its runner, of that place among all foreign ones, offers; `all`
/// has it, too. Errors: it comes with Eole, is another runner's, is too much, or not what the same
/// runner offers in another slot: any slot runs what the worker tells.
Expected<void> take_offer(ProcessRunner& runner, const ProcessRunner::Offer& offer,
                          std::size_t place, ProcessRunners& slot, RunnersChanged& all);

/// From the wish that a run ends until it is told so by a signal.
constexpr std::chrono::milliseconds kForeignGrace{5'000};
Outcome outcome_of(ProcessRunner::Ended ended);

}  // namespace eole::worker
