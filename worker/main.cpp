#include <unistd.h>

#include <exception>
#include <string_view>
#include <thread>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "common/process/options.hpp"
#include "common/process/system.hpp"
#include "worker/handlers/command_helper.hpp"
#include "worker/handlers/registry.hpp"
#include "worker/io/node.hpp"
#include "worker/io/scratch.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  if (argc == 2 && std::string_view(argv[1]) == worker::kHelperArgument) worker::serve_commands();
  worker::NodeOptions options;
  auto& config = options.config;
  config.slots = std::max(1U, std::thread::hardware_concurrency());
  config.pid = static_cast<std::uint32_t>(::getpid());
  const auto nameless = config.name = text(process::host_name(), "-", config.pid);
  std::string cluster;
  process::Options parser("worker", "Runs tasks and hands their results to the sink.");
  parser.text("--cluster", cluster, "FILE", "the cluster or join file (default: EOLE_CLUSTER)");
  parser.text("--name", config.name, "NAME", "what results and `eole workers` call it");
  parser.text("--data", options.scratch, "DIR", "scratch [scratch/NAME in eole's state]");
  parser.number("--slots", config.slots, "N", "tasks that run at the same time");
  parser.number("--prefetch", config.prefetch, "N", "unfinished tasks per slot; 0 adapts");
  parser.toggle("--allow-exec", options.allow_exec, "run the commands that exec tasks name");
  std::uint32_t core = 0;
  parser.number("--core", core, "N", "keep to the N-th core, though not what tasks run; 0: any");
  if (const auto code = parser.parse(argc, argv)) return *code;
  process::start_log("worker " + config.name);
  try {
    auto file = net::read_cluster_file(net::cluster_file_path(cluster));
    if (!file) throw std::runtime_error(file.error().message);
    if (config.slots < 1 || config.slots > 1024) throw std::runtime_error("--slots: 1 to 1024");
    options.cluster = std::move(*file);
    const worker::Scratch scratch(options.scratch, config.name, config.name != nameless);
    for (const auto& handler : worker::handlers()) {
      if (handler.kind.needs_exec && !options.allow_exec) continue;
      config.kinds.emplace(handler.kind.name);
      if (handler.run_inline != nullptr) config.inline_kinds.emplace(handler.kind.name);
    }
    worker::HelperProcesses helpers;
    std::vector<std::unique_ptr<worker::CommandRunner>> runners;
    for (std::uint32_t i = 0; options.allow_exec && i < config.slots; ++i)
      runners.push_back(std::make_unique<worker::CommandRunner>(helpers));
    process::keep_to_core(core);
    worker::Node node(std::move(options), std::move(runners));
    // A second signal: nothing is waited for. The helpers see their sockets close, and kill.
    if (const int code = node.run(); code != 0) ::_exit(code);
    return 0;
  } catch (const std::exception& error) {
    process::log_error(error.what());
    return 2;
  }
}
