#include <filesystem>

#include "cli/endpoints.hpp"
#include "cli/limits.hpp"
#include "cli/place.hpp"
#include "cli/supervisor.hpp"
#include "common/base/text.hpp"
#include "common/net/tokens.hpp"
#include "common/process/certificate.hpp"
#include "common/process/options.hpp"
#include "common/process/private.hpp"

namespace eole::cli {

namespace {

constexpr std::uint64_t kWorkersMax = 1024;

struct UpOptions {
  std::string data;
  std::string listen;
  std::string http = "127.0.0.1:0";
  bool http_tokens = false;
  std::string http_certificate;
  std::string http_key;
  std::string http_origin;
  std::uint32_t workers = 2;
  std::uint32_t slots = 0;
  std::uint32_t prefetch = 0;
  bool allow_exec = false;
  std::string sandbox = "none";
  bool sandbox_net = false;
  bool allow_git_files = false;
  std::string secrets;
  std::vector<std::string> signers;
  std::vector<std::string> networks;
  std::string authorities;
  std::string rate = "0", host_rate = "0";  // Of downloads.
  std::vector<std::string> schemes;
  std::string netrc;
  bool place = false;
  bool begins_anew = false;
  std::vector<std::string> labels;
  std::vector<std::string> resources;
  std::vector<std::string> runners;
  std::string runner_tasks;
  std::string runner_memory;
  std::string keep_days;
  std::string keep_bytes;
  std::vector<std::string> compact;
  std::string logs_keep_days;
  std::string logs_keep_bytes;
  std::string durability = "disk";
};

std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).string();
}

// The core that a role is kept to; 0: none.
std::string core_of(const UpOptions& options, std::uint32_t number) {
  return std::to_string(options.place ? number : 0);
}

void add(std::vector<std::string>& arguments, const char* flag, const std::string& value) {
  arguments.insert(arguments.end(), {flag, value});
}
// Of what was not said a role has its own default.
void add_if_said(std::vector<std::string>& arguments, const char* flag, const std::string& value) {
  if (!value.empty()) add(arguments, flag, value);
}
void add_each(std::vector<std::string>& arguments, const char* flag,
              const std::vector<std::string>& values) {
  for (const auto& value : values) add(arguments, flag, value);
}

std::vector<std::string> sink_arguments(const UpOptions& options, const Endpoints& endpoints) {
  std::vector<std::string> arguments{
      "--cluster",    endpoints.server_path, "--data", options.data + "/sink",
      "--durability", options.durability,    "--core", core_of(options, 2)};
  add_if_said(arguments, "--keep-days", options.keep_days);
  add_if_said(arguments, "--keep-bytes", options.keep_bytes);
  add_each(arguments, "--compact", options.compact);
  add_if_said(arguments, "--logs-keep-days", options.logs_keep_days);
  add_if_said(arguments, "--logs-keep-bytes", options.logs_keep_bytes);
  return arguments;
}

std::vector<std::string> ventilator_arguments(const UpOptions& options,
                                              const Endpoints& endpoints) {
  std::vector<std::string> arguments{
      "--cluster",    endpoints.server_path, "--data", options.data + "/ventilator",
      "--durability", options.durability,    "--core", core_of(options, 1)};
  if (options.begins_anew) arguments.emplace_back("--begin-anew");
  return arguments;
}

std::vector<std::string> gateway_arguments(const UpOptions& options, const Endpoints& endpoints) {
  std::vector<std::string> arguments{"--cluster", endpoints.gateway_path, "--data",
                                     options.data + "/gateway"};
  if (options.http_tokens) arguments.emplace_back("--http-tokens");
  if (!options.http_certificate.empty()) {
    add(arguments, "--http-certificate", absolute(options.http_certificate));
    add(arguments, "--http-key", absolute(options.http_key));
  }
  add_if_said(arguments, "--http-origin", options.http_origin);
  return arguments;
}

// Where nobody but this user submits, what this machine serves is no secret: whoever asks for it
// could reach it without us.
std::vector<std::string> networks_of(const UpOptions& options, const Endpoints& endpoints) {
  const bool is_own = options.listen.empty() && net::is_local(endpoints.http_address);
  if (!options.networks.empty() || !is_own) return options.networks;
  return {"127.0.0.0/8", "::1"};
}

std::vector<std::string> worker_arguments(const UpOptions& options, const Endpoints& endpoints,
                                          const std::string& name, const std::string& core) {
  std::vector<std::string> arguments{"--cluster", endpoints.worker_path,     "--name", name,
                                     "--data",    options.data + "/" + name, "--core", core};
  if (options.slots > 0) add(arguments, "--slots", std::to_string(options.slots));
  if (options.prefetch > 0) add(arguments, "--prefetch", std::to_string(options.prefetch));
  if (options.allow_exec) arguments.emplace_back("--allow-exec");
  add(arguments, "--sandbox", options.sandbox);
  if (options.sandbox_net) arguments.emplace_back("--sandbox-net");
  if (options.allow_git_files) arguments.emplace_back("--allow-git-files");
  for (const auto& file : options.signers) add(arguments, "--signed-by", absolute(file));
  add_if_said(arguments, "--secrets", absolute(options.secrets));
  add_each(arguments, "--allow-net", networks_of(options, endpoints));
  add_if_said(arguments, "--ca", absolute(options.authorities));
  add_each(arguments, "--allow-scheme", options.schemes);
  add_if_said(arguments, "--netrc", absolute(options.netrc));
  add(arguments, "--download-rate", options.rate);
  add(arguments, "--download-host-rate", options.host_rate);
  add_each(arguments, "--label", options.labels);
  add_each(arguments, "--resource", options.resources);
  add_each(arguments, "--runner", options.runners);
  add_if_said(arguments, "--runner-tasks", options.runner_tasks);
  add_if_said(arguments, "--runner-memory", options.runner_memory);
  return arguments;
}

bool is_secure(const Endpoints& endpoints) { return endpoints.http.starts_with("https://"); }

// The one that the gateway will show if none is given. Made before it starts: two who make it at
// once would leave a key that is not the certificate's.
std::optional<process::Certificate> own_certificate(const UpOptions& options,
                                                    const Endpoints& endpoints) {
  if (!is_secure(endpoints) || !options.http_certificate.empty()) return std::nullopt;
  const auto directory = options.data + "/gateway";
  process::make_private_directory(directory);
  return process::own_certificate(directory, endpoints.http_address);
}

// Whether anybody is let in.
void print_access(const UpOptions& options, const Endpoints& endpoints) {
  const bool asks_token =
      options.http_tokens || (is_secure(endpoints) && !net::is_local(endpoints.http_address));
  if (asks_token && net::TokenTable(options.data + "/tokens.toml").tokens().empty())
    std::printf("tokens        none: nobody is let in before `eole token add NAME --role admin`\n");
}

int run(UpOptions options, const Globals& globals) {
  const auto [data, cluster_path] = take_place(options.data, globals);
  options.data = data;
  const auto endpoints =
      write_endpoints(options.data, options.listen,
                      {options.http, !options.http_certificate.empty()}, cluster_path);
  Supervisor supervisor(options.data + "/logs");

  supervisor.start("sink", "sink", sink_arguments(options, endpoints));
  supervisor.start("ventilator", "ventilator", ventilator_arguments(options, endpoints));
  const auto certificate = own_certificate(options, endpoints);
  supervisor.start("gateway", "gateway", gateway_arguments(options, endpoints));
  supervisor.start("relay", "relay", {"--cluster", endpoints.gateway_path});
  for (std::uint32_t i = 1; i <= options.workers; ++i) {
    const auto name = text("w", i);
    supervisor.start(name, "worker",
                     worker_arguments(options, endpoints, name, core_of(options, i)));
  }
  std::printf(
      "page          %s\ncluster file  %s\nventilator    %s\nsink          %s\n"
      "notifications %s\nlogs          %s\n",
      endpoints.http.c_str(), cluster_path.c_str(), endpoints.ventilator.c_str(),
      endpoints.queries.c_str(), endpoints.notifications.c_str(), (options.data + "/logs").c_str());
  if (certificate)
    std::printf("certificate   %s\nfingerprint   SHA-256 %s\n", certificate->path.c_str(),
                certificate->fingerprint.c_str());
  print_access(options, endpoints);
  if (!endpoints.ports.empty())
    std::printf("ports         %s: all that a firewall must let in\n", endpoints.ports.c_str());
  std::fflush(stdout);
  const int code = supervisor.run({"--cluster", cluster_path, "status", "--until-workers",
                                   std::to_string(options.workers), "--json"},
                                  endpoints.http);
  remove_sockets(endpoints);
  return code;
}

void add_runners(Command& command, const std::shared_ptr<UpOptions>& options) {
  command
      .add_option(
          "--runner", options->runners,
          "COMMAND that runs kinds of its own in each worker, a process per slot; repeatable")
      ->check([](const std::string& given) {
        const bool is_blank = given.find_first_not_of(" \t\n") == std::string::npos;
        return std::string(is_blank ? "a COMMAND is wanted, this one is empty" : "");
      })
      ->repeatable();
  command
      .add_option("--runner-tasks", options->runner_tasks,
                  "a runner's process is replaced after so many tasks")
      ->check(whole_number(0, UINT64_MAX));
  command
      .add_option("--runner-memory", options->runner_memory,
                  "or once it has more than that in memory: 500MB")
      ->check(size_from(0));
}

void add_commands(Command& command, const std::shared_ptr<UpOptions>& options) {
  command.add_flag("--allow-exec", options->allow_exec, "let the workers run commands");
  command
      .add_option("--sandbox", options->sandbox,
                  "around commands: none; limits on what they take; box: without network or this "
                  "machine's files")
      ->one_of({"none", "limits", "box"})
      ->shows_default();
  command.add_flag("--sandbox-net", options->sandbox_net, "a box has the network");
  command.add_flag("--allow-git-files", options->allow_git_files,
                   "the repositories that commands come from may be file:// of this machine");
  command.add_option("--secrets", options->secrets,
                     "FILE of lines NAME=VALUE, mode 0600: what tasks name and do not know");
  command
      .add_option("--signed-by", options->signers,
                  "FILE of public keys (eole key make): only commands that one of these signed "
                  "run; repeatable")
      ->repeatable();
}

void add_retention(Command& command, const std::shared_ptr<UpOptions>& options) {
  command.add_option("--keep-days", options->keep_days, "results older than this go [30]")
      ->check(whole_number(1, process::kKeepDaysMax));
  command
      .add_option("--keep-bytes", options->keep_bytes,
                  "size of the log, as 10GB or 64MiB; beyond it the oldest results go [10GB]")
      ->check(size_from(process::kKeepBytesMin));
  command
      .add_option("--compact", options->compact,
                  "a project of which the last result of each key stays whatever its age, for "
                  "caches; may be said again")
      ->type_name("PROJECT")
      ->repeatable();
  command
      .add_option("--logs-keep-days", options->logs_keep_days,
                  "what roles logged (eole logs) goes then [7]")
      ->check(whole_number(1, process::kKeepDaysMax));
  command
      .add_option("--logs-keep-bytes", options->logs_keep_bytes,
                  "size of what they logged; beyond it the oldest lines go [64MiB]")
      ->check(size_from(process::kKeepBytesMin));
}

}  // namespace

void add_up(Command& app, Globals& globals) {
  auto* command = app.add_subcommand(
      "up", "Run a cluster here, in the foreground: ventilator, sink, workers and a page");
  auto options = std::make_shared<UpOptions>();
  command->add_option("--data", options->data,
                      "directory that keeps everything [data in eole's state directory]");
  command->add_option("--workers", options->workers, "worker processes [2]")
      ->check(whole_number(0, kWorkersMax));
  command->add_option("--slots", options->slots, "tasks at a time, per worker [one per core]")
      ->check(whole_number(1, process::kSlotsMax));
  command->add_option("--prefetch", options->prefetch, "unfinished tasks per slot; 0 adapts [0]")
      ->check(whole_number(0, process::kPrefetchMax));
  command->add_option("--label", options->labels, "NAME=VALUE that each worker has; repeatable")
      ->repeatable();
  command
      ->add_option("--resource", options->resources,
                   "NAME=N that each worker has to give, as mem=64G; repeatable [cpus, mem]")
      ->repeatable();
  command->add_option("--listen", options->listen,
                      "ADDRESS[:PORT] for workers and clients elsewhere: TCP with CURVE. PORT and "
                      "the 999 after it are used, pipes too [a free range, kept]; IPv6: "
                      "[ADDRESS]:PORT");
  command
      ->add_option("--http", options->http,
                   "ADDRESS:PORT of the page and of HTTP; port 0: a free one, kept. Beyond this "
                   "machine: TLS, and a token of `eole token`")
      ->shows_default();
  command->add_flag("--http-tokens", options->http_tokens,
                    "ask for a token on this machine's own addresses, too");
  auto* certificate =
      command->add_option("--http-certificate", options->http_certificate,
                          "PEM of the certificate to show, with --http-key [one of its own]");
  auto* key = command->add_option("--http-key", options->http_key, "PEM of its key, mode 0600");
  certificate->needs(key);
  key->needs(certificate);
  command->add_option("--http-origin", options->http_origin,
                      "another's page that may ask, with a token: https://example.org");
  command->add_flag("--place", options->place,
                    "keep ventilator, sink and each worker to a core, for small tasks one by one; "
                    "what tasks run stays free");
  command
      ->add_option("--durability", options->durability,
                   "disk: all that is answered survives a power cut; none: a crash of a role only")
      ->one_of({"disk", "none"})
      ->shows_default();
  add_retention(*command, options);
  add_runners(*command, options);
  command->add_flag("--begin-anew", options->begins_anew,
                    "if the journal that was here is gone: give its tasks up");
  add_commands(*command, options);
  command
      ->add_option(
          "--allow-net", options->networks,
          "CIDR that downloads may reach though it is not public, as 10.0.0.0/8; repeatable [this "
          "machine's own, where only its user reaches the cluster]")
      ->repeatable();
  command
      ->add_option("--ca", options->authorities,
                   "PEM of certificates that downloads believe besides the system's")
      ->existing_file();
  command
      ->add_option("--allow-scheme", options->schemes,
                   "ftp, sftp or s3: that URLs of downloads may have besides http and https; "
                   "repeatable")
      ->repeatable()
      ->one_of({"ftp", "sftp", "s3"});
  command
      ->add_option("--netrc", options->netrc,
                   "names and passwords for the hosts of downloads, as .netrc has them")
      ->existing_file();
  command->add_option("--download-rate", options->rate,
                      "bytes a second of all downloads of a worker together, as 10MB; 0: as fast "
                      "as it goes");
  command->add_option("--download-host-rate", options->host_rate,
                      "... of its downloads from one host");
  command->footer(
      "Prints `ready` once a task would run and the page is served, and before it which runners\n"
      "cannot start: they are tried again. A role that dies is started again; if one cannot "
      "start,\n"
      "five times in a row or for a reason that stays, that is told and everything ends.\n"
      "Ctrl-C or SIGTERM drains: what runs is finished, what waits stays queued; a second one\n"
      "ends it at once.\n"
      "Exit codes: 0 ended as asked, 2 bad input or already in use, 3 a role cannot start.");
  command->callback([options, &globals] { globals.exit_code = run(*options, globals); });
}

}  // namespace eole::cli
