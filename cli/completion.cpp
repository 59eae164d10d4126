#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

// What may follow a command: its commands, its options, and those of the commands above it.
std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* sub : app.get_subcommands({})) words += sub->get_name() + " ";
  for (const auto* above = &app; above != nullptr; above = above->get_parent())
    for (const auto* option : above->get_options())
      if (!option->get_lnames().empty()) words += "--" + option->get_lnames().front() + " ";
  return words;
}

// A branch for each command: "submit image") words="--width …".
void add_cases(const CLI::App& app, const std::string& path, std::string& cases) {
  cases += text("    \"", path, "\") words=\"", words_of(app), "\" ;;\n");
  for (const auto* sub : app.get_subcommands({}))
    add_cases(*sub, path.empty() ? sub->get_name() : text(path, " ", sub->get_name()), cases);
}

}  // namespace

void add_completion(CLI::App& app, Globals&) {
  auto* command = app.add_subcommand("completion", "Print a completion script for bash");
  command->footer("  source <(eole completion)\nExit codes: 0 printed, 1 it could not be written.");
  command->callback([&app] {
    std::string cases;
    add_cases(app, "", cases);
    // The longest beginning of the line that is a command says what may follow.
    const auto script = text(
        "_eole() {\n"
        "  local words=\"\" path=\"\" word i\n"
        "  _eole_words() { case \"$1\" in\n",
        cases,
        "    *) return 1 ;;\n"
        "  esac; }\n"
        "  _eole_words \"\"\n"
        "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "    word=\"${path:+$path }${COMP_WORDS[i]}\"\n"
        "    _eole_words \"$word\" && path=\"$word\"\n"
        "  done\n"
        "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n"
        "    --state) words=\"done failed dead cancelled\"\n"
        "      [ \"$path\" = history ] && words=\"$words retrying\"\n"
        "      [ \"$path\" = tasks ] && words=\"queued running cancelling\" ;;\n"
        "    --durability) words=\"disk none\" ;;\n"
        "    --role) words=\"submit work settle observe admin\"\n"
        "      [ \"$path\" = logs ] && words=\"ventilator sink worker gateway\"\n"
        "      [ \"$path\" = \"token add\" ] && words=\"observe submit admin\" ;;\n"
        "    --level) words=\"info warn error\" ;;\n"
        "  esac\n"
        "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
        "  [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "
        "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
        "}\ncomplete -F _eole eole\n");
    std::fputs(script.c_str(), stdout);
  });
}

}  // namespace eole::cli
