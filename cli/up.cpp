#include <fcntl.h>
#include <sys/file.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/common.hpp"
#include "cli/endpoints.hpp"
#include "cli/supervisor.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

struct UpOptions {
  std::string data;
  std::string listen;
  std::uint32_t workers = 2;
  std::uint32_t slots = 0;
  std::uint32_t prefetch = 0;
  bool allow_exec = false;
  bool place = false;
  std::string durability = "disk";
};

std::string state_directory() {
  return std::filesystem::path(net::cluster_file_path("")).parent_path().string();
}

// Held as long as this process lives: a second `eole up` here would take the first one's place.
void lock(const std::string& path, const std::string& what) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0)
    throw Failure{kBadUse, text(what, " is in use by another `eole up`")};
}

int run(UpOptions options, const Globals& globals) {
  const auto cluster_path = net::cluster_file_path(globals.cluster_path);
  if (options.data.empty()) options.data = state_directory() + "/data";
  options.data = std::filesystem::absolute(options.data).string();
  std::filesystem::create_directories(options.data);
  std::filesystem::permissions(options.data, std::filesystem::perms::owner_all);
  lock(options.data + "/up.lock", "directory " + options.data);
  lock(cluster_path + ".lock", "cluster file " + cluster_path);
  Supervisor supervisor(options.data + "/logs");

  const auto endpoints = make_endpoints(options.data, options.listen);
  net::write_cluster_file(endpoints.server_path, endpoints.server);
  net::write_cluster_file(cluster_path, endpoints.client);
  net::write_cluster_file(endpoints.worker_path, endpoints.worker);

  const auto& server = endpoints.server_path;
  const auto core = [&](std::uint32_t number) {
    return std::to_string(options.place ? number : 0);
  };
  supervisor.start("sink", "sink",
                   {"--cluster", server, "--data", options.data + "/sink", "--durability",
                    options.durability, "--core", core(2)});
  supervisor.start("ventilator", "ventilator",
                   {"--cluster", server, "--data", options.data + "/ventilator", "--durability",
                    options.durability, "--core", core(1)});
  for (std::uint32_t i = 1; i <= options.workers; ++i) {
    const auto name = text("w", i);
    std::vector<std::string> arguments{"--cluster", endpoints.worker_path,     "--name", name,
                                       "--data",    options.data + "/" + name, "--core", core(i)};
    if (options.slots > 0)
      arguments.insert(arguments.end(), {"--slots", std::to_string(options.slots)});
    if (options.prefetch > 0)
      arguments.insert(arguments.end(), {"--prefetch", std::to_string(options.prefetch)});
    if (options.allow_exec) arguments.emplace_back("--allow-exec");
    supervisor.start(name, "worker", arguments);
  }
  std::printf(
      "cluster file  %s\nventilator    %s\nsink          %s\nnotifications %s\nlogs          %s\n",
      cluster_path.c_str(), endpoints.client.ventilator.c_str(), endpoints.client.queries.c_str(),
      endpoints.client.notifications.c_str(), (options.data + "/logs").c_str());
  std::fflush(stdout);
  const auto code = supervisor.run(
      {"--cluster", cluster_path, "status", "--until-workers", std::to_string(options.workers)},
      options.workers > 0);
  if (const auto& pipes = endpoints.server.pipes; pipes.starts_with("ipc://"))
    std::filesystem::remove_all(pipes.substr(6));  // The sockets' own directory.
  return code;
}

}  // namespace

void add_up(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand(
      "up", "Run a cluster here, in the foreground: ventilator, sink and workers");
  auto options = std::make_shared<UpOptions>();
  command->add_option("--data", options->data,
                      "directory that keeps everything [beside the cluster file]");
  command->add_option("--workers", options->workers, "worker processes [2]")
      ->check(CLI::Range(0, 1024));
  command->add_option("--slots", options->slots, "tasks at a time, per worker [one per core]");
  command->add_option("--prefetch", options->prefetch, "unfinished tasks per slot [adapts]");
  command->add_option("--listen", options->listen,
                      "ADDRESS[:PORT] for workers and clients elsewhere: TCP with CURVE. PORT and "
                      "the four after it are used [free ones]");
  command->add_flag("--place", options->place,
                    "keep ventilator, sink and each worker to a core, for small tasks one by one; "
                    "what tasks run stays free");
  command
      ->add_option("--durability", options->durability,
                   "disk: all that is answered survives a power cut; none: a crash of a role only")
      ->check(CLI::IsMember({"disk", "none"}))
      ->capture_default_str();
  command->add_flag("--allow-exec", options->allow_exec, "let the workers run commands");
  command->footer(
      "Prints `ready` once a task would run. A role that dies is started again. Ctrl-C or SIGTERM\n"
      "drains: what runs is finished, what waits stays queued; a second one ends it at once.");
  command->callback([options, &globals] { globals.exit_code = run(*options, globals); });
}

}  // namespace eole::cli
