#include <unistd.h>

#include <stdexcept>
#include <string_view>
#include <thread>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/role/loop.hpp"
#include "common/role/program.hpp"
#include "worker/command/serve.hpp"
#include "worker/handlers/registry.hpp"
#include "worker/io/node.hpp"
#include "worker/io/offers.hpp"
#include "worker/io/slots.hpp"
#include "worker/runners/scratch.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  if (argc == 2 && std::string_view(argv[1]) == command::kServeArgument) command::serve();
  worker::NodeOptions options;
  auto& config = options.config;
  config.slots = std::max(1U, std::thread::hardware_concurrency());
  config.pid = static_cast<std::uint32_t>(::getpid());
  const auto nameless = config.name = text(process::host_name(), "-", config.pid);
  std::string scratch_path;
  bool allow_exec = false;
  std::string networks;
  worker::WebOptions web;
  role::Program program("worker", "Runs tasks and hands their results to the sink.");
  program.log_name = [&] { return config.name; };
  auto& flags = program.options();
  flags.text("--name", config.name, "NAME", "what results and `eole workers` call it");
  flags.text("--data", scratch_path, "DIR", "scratch [scratch/NAME in eole's state]");
  flags.number("--slots", config.slots, "N", "tasks at a time", 1, process::kSlotsMax);
  flags.number("--prefetch", config.prefetch, "N", "unfinished tasks per slot; 0 adapts", 0,
               process::kPrefetchMax);
  flags.toggle("--allow-exec", allow_exec, "run the commands that exec tasks name");
  flags.list("--allow-net", networks, "CIDR",
             "that downloads may reach though it is not public: 10.0.0.0/8; repeatable");
  flags.text("--ca", web.authorities, "FILE",
             "certificates of authorities that downloads believe besides the system's, PEM");
  flags.list("--label", config.labels, "NAME=VALUE", "that tasks may need; repeatable");
  flags.list("--resource", config.resources, "NAME=N", "that tasks use up: mem=64G; repeatable");
  return program.run(argc, argv, [&] {
    options.cluster = program.cluster();
    worker::complete(config);
    const auto allowed = worker::Networks::allowing(networks);
    if (!allowed) throw std::runtime_error(text("--allow-net ", allowed.error().message));
    web.networks = *allowed;
    const worker::Scratch scratch(scratch_path, config.name, config.name != nameless);
    for (const auto& handler : worker::handlers()) {
      if (handler.kind.needs_exec && !allow_exec) continue;
      config.kinds.emplace(handler.kind.name);
      if (handler.kind.runner == kinds::Runner::kInline)
        config.inline_kinds.emplace(handler.kind.name);
    }
    worker::ChildProcesses processes;
    std::vector<worker::ProcessRunners> runners;
    for (std::uint32_t slot = 0; slot < config.slots; ++slot)
      runners.push_back(worker::start_runners(processes, config.kinds));
    program.keep_to_core();
    role::Loop loop(options.cluster, role::Loop::Kind::kConnects);
    worker::Slots slots(loop.context(), {options.cluster, scratch_path, web}, std::move(runners));
    worker::Node node(options, loop, slots);
    // A second signal: nothing is waited for. The children see their sockets close.
    if (const int ended = role::run(node, loop); ended != 0) ::_exit(ended);
    return 0;
  });
}
