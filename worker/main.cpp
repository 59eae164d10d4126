#include <unistd.h>

#include <thread>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/role/loop.hpp"
#include "common/role/program.hpp"
#include "worker/command/cgroup_tree.hpp"
#include "worker/command/options.hpp"
#include "worker/command/serve.hpp"
#include "worker/io/node.hpp"
#include "worker/io/offers.hpp"
#include "worker/io/slots.hpp"
#include "worker/runners/foreign.hpp"
#include "worker/runners/scratch.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  command::serve_instead({argv + 1, argv + argc});
  worker::NodeOptions options;
  auto& config = options.config;
  config.slots = std::max(1U, std::thread::hardware_concurrency());
  config.pid = static_cast<std::uint32_t>(::getpid());
  const auto nameless = config.name = text(process::host_name(), "-", config.pid);
  worker::SlotOptions slot;
  command::CommandOptions commands;
  worker::ForeignOptions foreign;
  role::Program program("worker", "Runs tasks and hands their results to the sink.");
  program.log_name = [&] { return config.name; };
  auto& flags = program.options();
  flags.text("--name", config.name, "NAME", "what results and `eole workers` call it");
  flags.text("--data", slot.scratch, "DIR", "scratch [scratch/NAME in eole's state]");
  flags.number("--slots", config.slots, "N", "tasks at a time", 1, process::kSlotsMax);
  flags.number("--prefetch", config.prefetch, "N", "unfinished tasks per slot; 0 adapts", 0,
               process::kPrefetchMax);
  slot.add_flags(flags);
  flags.list("--label", config.labels, "NAME=VALUE", "that tasks may need; repeatable");
  flags.list("--resource", config.resources, "NAME=N", "that tasks use up: mem=64G; repeatable");
  commands.add_flags(flags);
  foreign.add_flags(flags);
  return program.run(argc, argv, [&] {
    options.cluster = slot.cluster = program.cluster();
    worker::complete(config);
    const worker::Scratch scratch(slot.scratch, config.name, config.name != nameless);
    worker::add_own_kinds(config, commands.are_allowed);
    auto settings = commands.settled(slot.scratch, worker::mirrors_directory(slot.scratch),
                                     program.cluster_path(), {slot.secrets, slot.web.netrc});
    const command::CgroupTree cgroups(commands.are_allowed, settings);
    worker::ChildProcesses processes;
    auto runners = worker::start_runners(processes, foreign, settings.words(), config);
    program.keep_to_core();
    role::Loop loop(options.cluster, role::Loop::Kind::kConnects);
    worker::Slots slots(loop.context(), slot, std::move(runners),
                        {config.runners, config.ahead});
    worker::Node node(options, loop, slots);
    if (const int ended = role::run(node, loop); ended != 0) ::_exit(ended);  // A second signal.
    return 0;
  });
}
