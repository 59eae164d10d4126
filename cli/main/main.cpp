#include <CLI/CLI.hpp>

#include "cli/common.hpp"
#include "common/base/shown.hpp"

int main(int argc, char** argv) {
  using namespace eole::cli;
  CLI::App app{
      "Eole: a brokerless task fabric. Tasks in, results out, none lost, none told twice."};
  Globals globals;
  app.add_option("--cluster", globals.cluster_path,
                 "cluster file [EOLE_CLUSTER, else cluster.toml under XDG_STATE_HOME/eole]");
  app.set_version_flag("--version", "eole 0.1.0");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Exit codes: 0 done, 1 a task is not done, 2 bad input, 3 no answer from the cluster.");
  for (const auto add : {add_up, add_submit, add_nqueens, add_watch, add_status, add_workers,
                         add_result, add_results, add_tasks, add_fetch, add_cancel, add_dead,
                         add_join, add_salvage, add_bench, add_completion})
    add(app, globals);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kBadUse;
  } catch (const Failure& failure) {
    std::fprintf(stderr, "eole: %s\n", eole::shown(failure.message).c_str());
    return failure.exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "eole: %s\n", eole::shown(error.what()).c_str());
    return kBadUse;
  }
  return globals.exit_code;
}
