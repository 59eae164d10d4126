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
  program.options().toggle("--http-tokens", options.asks_token,
                           "ask for a token on this machine's own addresses, too");
  program.options().text("--http-certificate", options.certificate, "FILE",
                         "PEM, with --http-key: TLS (default beyond this machine: one of its own)");
  program.options().text("--http-key", options.key, "FILE", "the certificate's key, PEM");
  program.options().text("--http-origin", options.origin, "URL",
                         "another's page that may ask, with a token: https://example.org");
  return program.run(argc, argv, [&]() -> int {
    process::keep_private();
    reserve_own_files();  // Connections are many.
    options.cluster = program.cluster();
    if (options.listen.empty()) options.listen = options.cluster.http;
    for (const std::string_view scheme : {"http://", "https://"})
      if (options.listen.starts_with(scheme)) options.listen.erase(0, scheme.size());
    if (options.data.empty()) options.data = net::state_directory() + "/gateway";
    process::make_private_directory(options.data);
    program.keep_to_core();
    role::Loop loop(options.cluster, role::Loop::Kind::kConnects);
    gateway::Gateway gateway(options, loop);
    // Handlers under way are cut off: they refer to one another, and to what would go before them.
    ::_exit(gateway.run());
  });
}
