#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string_view>
#include <thread>

#include "cli/kind_options.hpp"
#include "cli/lookup.hpp"
#include "common/base/text.hpp"
#include "common/kinds/kinds.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

namespace {

constexpr std::size_t kShownMost = 100;      // Of what the cluster says.
constexpr Duration kPatience = 1s;           // Somebody waits with a finger on Tab.
constexpr std::int64_t kRecentMs = 600'000;  // Tasks that ended since then are offered, too.

// Each shell asks `eole completion words`: what may follow is known here alone.
constexpr const char* kBash =
    R"(_eole() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _eole eole
)";
constexpr const char* kZsh =
    R"(#compdef eole
_eole() {
  local -a found
  found=("${(@f)$("${words[1]}" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found[1]" ]]; then compadd -- "${found[@]}"; else _files; fi
}
if [[ "$funcstack[1]" = _eole ]]; then _eole "$@"; else compdef _eole eole; fi
)";
constexpr const char* kFish =
    R"(function __eole_words
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] completion words -- $words[2..-1] 2>/dev/null)
  if set -q found[1]
    printf '%s\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c eole -f -a '(__eole_words)'
)";

// What a word may be, printed if it begins as the one that is completed.
class Words {
 public:
  explicit Words(std::string begun) : begun_(std::move(begun)) {}
  void offer(const std::string& word) {
    if (word.starts_with(begun_) && shown_.insert(word).second) std::printf("%s\n", word.c_str());
  }
  void offer(std::initializer_list<const char*> words) {
    for (const auto* word : words) offer(std::string(word));
  }
  bool is_full() const { return shown_.size() >= kShownMost; }

 private:
  std::string begun_;
  std::set<std::string> shown_;
};

void offer_kinds(Words& words) {
  for (const auto& kind : kinds::all()) words.offer(std::string(kind.name));
}

// A role that does not answer ends it.
void limit_time() {
  std::thread([] {
    std::this_thread::sleep_for(kPatience);
    ::_exit(0);
  }).detach();
}

void offer_projects(Words& words, const Globals& globals) {
  limit_time();
  Cluster cluster(globals);
  each_project(cluster.ventilator, [&](const Value& project) {
    words.offer(project["project"].text_or(""));
    return !words.is_full();
  });
}

void offer_ids(Words& words, const Globals& globals) {
  limit_time();
  Cluster cluster(globals);
  const auto offer = [&](const Value& task) {
    words.offer(task["id"].text_or(""));
    return !words.is_full();
  };
  each_task(cluster, Value::Map{}, offer);
  each_result(cluster, process::unix_ms() - kRecentMs, "", offer);
}

// The value of an option; false if it is not known what that may be.
bool offer_value(Words& words, const std::string& option, const std::string& command,
                 const Globals& globals) {
  if (option == "--state") {
    words.offer({"done", "failed", "dead", "cancelled"});
    if (command == "history") words.offer({"retrying"});
    if (command == "tasks") words.offer({"queued", "running", "cancelling"});
  } else if (option == "--role") {
    if (command == "logs")
      words.offer({"ventilator", "sink", "worker", "gateway", "relay"});
    else if (command == "add")
      words.offer({"observe", "submit", "admin"});
    else
      words.offer({"submit", "work", "settle", "observe", "admin"});
  } else if (option == "--durability") {
    words.offer({"disk", "none"});
  } else if (option == "--level") {
    words.offer({"info", "warn", "error"});
  } else if (option == "--kind") {
    offer_kinds(words);
    for (const auto& kind : globals.offered.names())
      if (is_plain_word(kind)) words.offer(kind);
  } else if (option == "--project") {
    offer_projects(words, globals);
  } else if (option == "--task") {
    offer_ids(words, globals);
  } else {
    return false;
  }
  return true;
}

void offer_what_follows(const CLI::App& root, std::vector<std::string> line,
                        const Globals& globals) {
  if (line.empty()) line.emplace_back();
  Words words(line.back());
  line.pop_back();
  const auto* app = &root;
  for (const auto& word : line)
    for (const auto* sub : app->get_subcommands({}))
      if (sub->get_name() == word) {
        app = sub;
        break;
      }
  if (!line.empty() && offer_value(words, line.back(), app->get_name(), globals)) return;
  for (const auto* sub : app->get_subcommands({})) words.offer(sub->get_name());
  for (const auto* above = app; above != nullptr; above = above->get_parent())
    for (const auto* option : above->get_options())
      if (!option->get_lnames().empty()) words.offer("--" + option->get_lnames().front());
  std::fflush(stdout);
  // What the cluster alone knows comes last: it may not answer.
  for (const auto* option : app->get_options({})) {
    const auto name = option->get_name(true, false);
    if (!option->get_positional()) continue;
    if (name == "id" || name == "ids") return offer_ids(words, globals);
    if (name == "project" || (name == "name" && app->get_name() == "project"))
      return offer_projects(words, globals);
  }
}

}  // namespace

void add_completion(Command& app, Globals& globals) {
  auto* command =
      app.add_subcommand("completion", "Print a completion script for bash, zsh or fish");
  auto shell = std::make_shared<std::string>("bash");
  auto line = std::make_shared<std::vector<std::string>>();
  command->add_option("shell", *shell, "bash, zsh or fish [bash]")
      ->one_of({"bash", "zsh", "fish", "words"})
      ->type_name("");
  command->add_option("line", *line)->hidden();  // Of `words`: what those scripts ask.
  command->footer(
      "  source <(eole completion)\n"
      "  eole completion fish > ~/.config/fish/completions/eole.fish\n"
      "  eole completion zsh > ~/.zfunc/_eole       (a directory of your fpath)\n"
      "Kinds, projects and ids of tasks are completed, too, if the cluster answers.\n"
      "Exit codes: 0 printed, 1 it could not be written.");
  command->callback([=, &app, &globals] {
    if (*shell != "words") {
      std::fputs(*shell == "zsh" ? kZsh : *shell == "fish" ? kFish : kBash, stdout);
      return;
    }
    try {
      offer_what_follows(app.parser(), *line, globals);
    } catch (const Failure&) {  // No cluster: then nothing of it.
    }
  });
}

}  // namespace eole::cli
