#include <unistd.h>

#include "common/base/own_files.hpp"
#include "common/process/private.hpp"
#include "common/process/system.hpp"
#include "common/role/loop.hpp"
#include "common/role/program.hpp"
#include "gateway/io/gateway.hpp"

int main(int argc, char** argv) {
  using namespace eole;
  role::Program program("gateway", "Serves the cluster over HTTP: tasks, notifications, a page.");
  gateway::Options options;
  program.options().text("--http", options.listen, "ADDRESS:PORT",
                         "where it answers (default: as the cluster file says)");
  program.options().text("--data", options.data, "DIR", "for what is being uploaded");
  return program.run(argc, argv, [&]() -> int {
    process::keep_private();
    reserve_own_files();  // Connections are many.
    options.cluster = program.cluster();
    if (options.listen.empty() && options.cluster.http.starts_with("http://"))
      options.listen = options.cluster.http.substr(7);
    if (options.data.empty()) options.data = net::state_directory() + "/gateway";
    process::make_private_directory(options.data);
    program.keep_to_core();
    role::Loop loop(options.cluster, role::Loop::Kind::kConnects);
    gateway::Gateway gateway(options, loop);
    // Handlers under way are cut off: they refer to one another, and to what would go before them.
    ::_exit(gateway.run());
  });
}
