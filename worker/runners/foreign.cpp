#include "worker/runners/foreign.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <stdexcept>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/causes.hpp"
#include "worker/command/serve.hpp"

namespace eole::worker {

namespace {

using End = ProcessRunner::End;

constexpr std::size_t kShownCommandMax = 120;
constexpr std::chrono::milliseconds kSignalledFor{2'000};  // From SIGTERM to SIGKILL.

// Behind all others: eole-runner is found there.
std::string path_with_ours() {
  std::array<char, 4096> self;
  const auto size = ::readlink("/proc/self/exe", self.data(), self.size());
  const std::string program(self.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const char* path = std::getenv("PATH");
  return text("PATH=", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin", ":",
              program.substr(0, program.find_last_of('/')));
}

ProcessRunner::Program program_of(const std::string& command, const ForeignOptions& options) {
  return {.path = "/proc/self/exe",
          .argv = {"eole-runner", command::kBecomeArgument, command},
          .variables = {path_with_ours()},
          .ends_within = kSignalledFor,
          .name = shown(cut_text(command, kShownCommandMax)),
          .runs_max = options.runs_max,
          .memory_bytes_max = options.memory_bytes_max};
}

// Each hello has all of it, and each of them may have a problem.
Expected<void> check_size(const std::vector<protocol::RunnerOffer>& runners) {
  std::size_t kinds = 0;
  for (const auto& runner : runners) kinds += runner.kinds.size();
  if (kinds > protocol::kOfferedKindsMax)
    return Error{text(kinds, " kinds in all, limit ", protocol::kOfferedKindsMax)};
  const auto bytes = protocol::encode_runners(runners).size() +
                     runners.size() * protocol::kProblemBytesMax;
  if (bytes > protocol::kRunnersBytesMax)
    return Error{text(bytes, " bytes tell of the kinds of all, limit ", protocol::kRunnersBytesMax)};
  return {};
}

// Those that cannot start now may later.
void introduce(ProcessRunners& slot, RunnersChanged& all) {
  std::size_t place = 0;
  for (const auto& runner : slot.all) {
    if (!runner->is_foreign()) continue;
    const auto i = place++;
    const auto offer = runner->introduce();
    if (!offer) continue;
    if (const auto taken = take_offer(*runner, *offer, i, slot, all); !taken)
      throw std::runtime_error(text("runner ", runner->name(), ": ", taken.error().message));
  }
}

}  // namespace

void ForeignOptions::add_flags(process::Options& flags) {
  flags.texts("--runner", commands, "COMMAND",
              "a program that runs kinds of its own, one process per slot; repeatable");
  flags.number("--runner-tasks", runs_max, "N",
               "a runner's process is replaced after so many tasks; 0 never");
  flags.size("--runner-memory", memory_bytes_max, "SIZE",
             "or once it has more than that in memory; 0 never", 0);
}

void add_own_kinds(Config& config, bool allow_exec) {
  for (const auto& handler : handlers()) {
    if (handler.kind.needs_exec && !allow_exec) continue;
    config.kinds.emplace(handler.kind.name);
    if (handler.kind.runner == kinds::Runner::kInline)
      config.inline_kinds.emplace(handler.kind.name);
  }
}

std::vector<ProcessRunners> start_runners(ChildProcesses& processes, const ForeignOptions& options,
                                          const std::vector<std::string>& command_words,
                                          Config& config) {
  if (options.commands.size() > protocol::kRunnersMax)
    throw std::runtime_error(
        text("--runner: ", options.commands.size(), " of them, limit ", protocol::kRunnersMax));
  for (const auto& command : options.commands)
    if (command.find_first_not_of(" \t\n") == std::string::npos)
      throw std::runtime_error("--runner: a COMMAND is wanted, this one is empty");
  RunnersChanged all;
  std::vector<ProcessRunners> slots;
  for (std::uint32_t slot = 0; slot < config.slots; ++slot) {
    slots.push_back(start_own_runners(processes, config.kinds, command_words));
    for (const auto& command : options.commands)
      slots.back().all.push_back(
          std::make_unique<ProcessRunner>(processes, program_of(command, options)));
  }
  for (const auto& runner : slots.front().all)
    if (runner->is_foreign()) all.runners.push_back({runner->name(), ""});
  for (auto& slot : slots) introduce(slot, all);
  std::size_t place = 0;
  for (const auto& runner : slots.front().all) {
    if (!runner->is_foreign()) continue;
    auto& told = all.runners[place++];
    if (told.kinds.empty()) told.problem = runner->problem();
  }
  config.runners = std::move(all.runners);
  config.ahead = std::move(all.ahead);
  return slots;
}

Expected<void> take_offer(ProcessRunner& runner, const ProcessRunner::Offer& offer,
                          std::size_t place, ProcessRunners& slot, RunnersChanged& all) {
  const auto refused = [&](std::string_view kind, const auto&... why) {
    return Error{text("offers the kind ", kind, ", ", why...)};
  };
  std::set<std::string_view> names;
  for (const auto& kind : offer.kinds) {
    names.insert(kind.name);
    if (find_handler(kind.name) != nullptr) return refused(kind.name, "which comes with Eole");
    const auto other = slot.by_kind.find(kind.name);
    if (other != slot.by_kind.end())
      return refused(kind.name, "and so does runner ", other->second->name());
  }
  auto& told = all.runners[place];
  const bool is_first = told.kinds.empty();
  for (const auto& kind : told.kinds)
    if (names.erase(kind.name) == 0) return refused(kind.name, "in one slot only");
  if (!is_first && !names.empty()) return refused(*names.begin(), "in one slot only");
  if (is_first) told.kinds = {offer.kinds.begin(), offer.kinds.end()};
  if (auto fits = check_size(all.runners); !fits) return fits;
  for (const auto& kind : offer.kinds) {
    slot.by_kind.emplace(kind.name, &runner);
    if (is_first && offer.ahead > 1)
      all.ahead[kind.name] = static_cast<std::uint32_t>(offer.ahead);
  }
  return {};
}

Outcome outcome_of(ProcessRunner::Ended ended) {
  const auto how = ended.error.empty() ? std::string() : text("; ", ended.error);
  Outcome outcome;
  switch (ended.end) {
    case End::kDone:
      outcome = Outcome::done(std::move(ended.value));
      break;
    case End::kFailed:
      outcome = Outcome::failed(ended.error.empty() ? "failed, and says not why" : ended.error,
                                std::move(ended.value));
      outcome.cause = protocol::own_cause(ended.cause);
      outcome.retry_after_ms = static_cast<std::int64_t>(
          std::min<std::uint64_t>(ended.retry_after_ms, protocol::kRetryAfterMsMax));
      break;
    case End::kTimeLimit:
    case End::kCancelled:
      outcome = Outcome::failed(text("cancelled", how), std::move(ended.value));
      break;
    case End::kLost:
      outcome = Outcome::lost(text("lost: its process ", ended.error, ended.words));
      break;
    case End::kUnbegun:
      outcome = Outcome::failed(text("not begun", how));
      outcome.is_unbegun = true;
      break;
  }
  for (const auto& file : ended.files)
    outcome.files.push_back({file, file.substr(file.find_last_of('/') + 1)});
  outcome.stopped = std::move(ended.stopped);
  return outcome;
}

}  // namespace eole::worker
