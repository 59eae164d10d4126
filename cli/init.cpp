#include <cstdio>

#include "cli/endpoints.hpp"
#include "cli/place.hpp"

namespace eole::cli {

namespace {

struct InitOptions {
  std::string data;
  std::string listen;
  HttpPlace http;
};

void init(const InitOptions& options, const Globals& globals) {
  const auto [data, cluster_path] = take_place(options.data, globals);
  const auto endpoints = write_endpoints(data, options.listen, options.http, cluster_path);
  if (globals.json)
    return print_json(Value::Map{{"data", data},
                                 {"cluster_file", cluster_path},
                                 {"page", endpoints.http},
                                 {"ventilator", endpoints.ventilator},
                                 {"sink", endpoints.queries},
                                 {"ports", endpoints.ports}});
  std::printf("data          %s\ncluster file  %s\npage          %s\n", data.c_str(),
              cluster_path.c_str(), endpoints.http.c_str());
  if (!endpoints.ports.empty())
    std::printf("ports         %s: all that a firewall must let in\n", endpoints.ports.c_str());
}

}  // namespace

void add_init(Command& app, Globals& globals) {
  auto* command = app.add_subcommand(
      "init", "Write the files that say where a cluster is, for roles that others start");
  auto options = std::make_shared<InitOptions>();
  command->add_option("--data", options->data,
                      "directory that keeps everything [data in eole's state directory]");
  command->add_option("--listen", options->listen,
                      "ADDRESS[:PORT] for workers and clients elsewhere, as `eole up` has it");
  command
      ->add_option("--http", options->http.address,
                   "ADDRESS:PORT of the page and of HTTP; port 0: a free one, kept")
      ->shows_default();
  command->add_flag("--json", globals.json, "one JSON object");
  command->footer(
      "`eole up` writes the same by itself. This is for services (systemd), which read\n"
      "server.toml (ventilator, sink), gateway.toml (gateway, relay) and worker.toml there.\n"
      "Again with the same words it changes nothing: keys and ports stay.\n"
      "  eole init --data /var/lib/eole --listen 10.0.0.1:5571\n"
      "Exit codes: 0 written, 2 bad input or in use by an `eole up`.");
  command->callback([options, &globals] { init(*options, globals); });
}

}  // namespace eole::cli
