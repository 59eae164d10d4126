#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "cli/common.hpp"
#include "cli/help.hpp"
#include "cli/kind_options.hpp"
#include "cli/signing.hpp"
#include "common/base/nearest.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/options.hpp"
#include "common/process/output.hpp"

namespace {

using namespace eole::cli;

constexpr std::size_t kHelpColumns = 80;
constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 a task is not done, 2 bad input or refused, 3 no answer from the "
    "cluster.";

int bad_use(const std::string& what, const std::string& meant, const std::string& command) {
  std::fprintf(stderr, "eole: %s%s (%s --help lists them)\n", what.c_str(),
               meant.empty() ? "" : ("; did you mean " + meant + "?").c_str(), command.c_str());
  return kBadUse;
}

struct Chosen {
  const CLI::App* app = nullptr;
  std::string command;  // "eole dead"
  int next = 0;         // The word after it.
};

// The command that the words name, so far as they do.
Chosen choose(const CLI::App& root, const std::vector<std::string>& words) {
  Chosen out{&root, "eole"};
  const auto count = static_cast<int>(words.size());
  while (out.next < count && words[out.next].starts_with("--cluster"))
    out.next += words[out.next] == "--cluster" ? 2 : 1;
  while (out.next < count) {
    const auto subs = out.app->get_subcommands(
        [&](const CLI::App* sub) { return sub->get_name() == words[out.next]; });
    if (subs.empty()) break;
    out.app = subs.front();
    out.command += " " + words[out.next++];
  }
  return out;
}

// A word behind it can only be a command.
bool takes_a_command(const CLI::App& app) {
  const auto options = app.get_options();
  return !app.get_subcommands({}).empty() &&
         std::none_of(options.begin(), options.end(),
                      [](const CLI::Option* option) { return option->get_positional(); });
}

// A word that stands where a command should: says so; otherwise nothing.
std::optional<int> refuse_unknown_command(const CLI::App& root,
                                          const std::vector<std::string>& words) {
  const auto chosen = choose(root, words);
  if (chosen.next >= static_cast<int>(words.size()) || !takes_a_command(*chosen.app))
    return std::nullopt;
  const auto& word = words[chosen.next];
  if (word.starts_with("-")) return std::nullopt;
  std::vector<std::string> known;
  for (const auto* sub : chosen.app->get_subcommands({})) known.push_back(sub->get_name());
  return bad_use("no command " + eole::shown(word), eole::nearest(word, known), chosen.command);
}

// The first option that the chosen command does not have: says so; otherwise nothing.
std::optional<int> refuse_unknown_option(const CLI::App& root,
                                         const std::vector<std::string>& words) {
  const auto chosen = choose(root, words);
  std::vector<std::string> known;
  for (const auto* app = chosen.app; app != nullptr; app = app->get_parent())
    for (const auto* option : app->get_options())
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  for (auto i = static_cast<std::size_t>(chosen.next); i < words.size() && words[i] != "--"; ++i) {
    const auto word = words[i].substr(0, words[i].find('='));
    if (!word.starts_with("--") || std::find(known.begin(), known.end(), word) != known.end())
      continue;
    return bad_use("no option " + eole::shown(word), eole::nearest(word, known), chosen.command);
  }
  return std::nullopt;
}

// What the parser says of words that it cannot use, in our words where its own are of no help.
int refuse(const CLI::ParseError& error, const Chosen& chosen) {
  std::string what = error.what();
  constexpr std::string_view kHasValue = " was given a disallowed flag override";
  if (what.ends_with(kHasValue)) {
    const auto flag = what.substr(0, what.size() - kHasValue.size());
    what = eole::text(flag.size() == 1 ? "-" : "--", flag, " takes no value");
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    what = "not expected: " + what.substr(std::min(what.size(), what.find(": ") + 2));
    if (chosen.command == "eole submit exec")
      what += "; a command with options of its own goes behind --";
  }
  std::fprintf(stderr, "eole: %s (%s --help has the rest)\n", eole::shown(what).c_str(),
               chosen.command.c_str());
  return kBadUse;
}

// One place says what the codes mean, for every command that does not say it itself.
void add_exit_codes(CLI::App& app) {
  for (auto* sub : app.get_subcommands({})) {
    const auto own = sub->get_footer();
    if (own.find("Exit codes") == std::string::npos)
      sub->footer(own.empty() ? kExitCodes : own + "\n" + kExitCodes);
    add_exit_codes(*sub);
  }
}

int run(int argc, char** argv) {
  CLI::App app{"Eole: a brokerless task fabric. Tasks in, results out, none lost, none told twice.",
               "eole"};
  const std::vector<std::string> words(argv + 1, argv + argc);
  Globals globals;
  globals.offered = offered_for(words);
  app.add_option("--cluster", globals.cluster_path,
                 "cluster file [EOLE_CLUSTER, else cluster.toml under XDG_STATE_HOME/eole]");
  app.set_version_flag("--version", std::string("eole ") + eole::process::kRelease);
  app.require_subcommand(1);
  app.fallthrough();
  Command root(app);
  for (const auto add :
       {add_up,     add_submit,  add_run,     add_schedule,  add_nqueens, add_top,     add_watch,
        add_status, add_explain, add_workers, add_result,    add_results, add_history, add_logs,
        add_tasks,  add_project, add_fetch,   add_cancel,    add_control, add_dead,    add_join,
        add_token,  add_key,     add_salvage, add_bench,     add_chain,   add_alert,   add_group,
        add_ledger, add_init,    add_doctor,  add_completion})
    add(root, globals);
  add_exit_codes(app);
  app.footer(
      std::string("First steps: `eole up` in one terminal, `eole submit echo hello --wait` in ") +
      "another.\n" + kExitCodes);
  if (words.empty()) {
    std::fputs(wrapped(app.help(), kHelpColumns).c_str(), stdout);
    return kDone;
  }
  if (const auto code = refuse_unknown_command(app, words)) return *code;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    if (const auto code = refuse_unknown_option(app, words)) return *code;
    return refuse(error, choose(app, words));
  } catch (const CLI::CallForHelp&) {
    std::fputs(wrapped(app.help(), kHelpColumns).c_str(), stdout);
    return kDone;
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? app.exit(error) : refuse(error, choose(app, words));
  } catch (const Failure& failure) {
    std::fprintf(stderr, "eole: %s\n", eole::shown(failure.message, eole::Keep::kLines).c_str());
    return failure.exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "eole: %s\n", eole::shown(error.what()).c_str());
    return kBadUse;
  }
  return globals.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  eole::process::hold_standard_streams();
  const int code = run(argc, argv);
  const auto lost = eole::process::lost_output();
  if (lost) std::fprintf(stderr, "eole: %s\n", lost->c_str());
  return lost && code == kDone ? kNotDone : code;
}
