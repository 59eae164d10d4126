#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "cli/limits.hpp"
#include "cli/pins.hpp"
#include "cli/run/jobs.hpp"
#include "cli/script.hpp"
#include "cli/word_flags.hpp"
#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/kinds/exec.hpp"

namespace eole::cli {

namespace {

constexpr const char* kHelp =
    "Runs COMMAND once for each input, on the cluster's workers, as GNU parallel does on one "
    "machine.\n"
    "\n"
    "Inputs: the words behind ::: (several ::: give every combination, :::+ goes with the one "
    "before), the lines of --each-line, the numbers of --range; in this order if there are several "
    "sources, the last one changing first. The first is read as it is wanted: it may be endless.\n"
    "\n"
    "In COMMAND, {} is the input, {.} without its extension, {/} without its directory, {//} its "
    "directory, {/.} its name without both, {#} the job's number; {2} or {2.} is of the second "
    "source. Without any of them {} is put behind it; without COMMAND each input is a command line "
    "itself. What is put in is quoted: a file name is never a piece of shell, and quotes around "
    "{} do no harm. A line of plain or quoted words runs without a shell; anything else ($ * | ; > "
    "…, or a word that only a shell knows) by /bin/sh.\n"
    "\n"
    "A job is a task of kind exec: it runs once a worker that takes commands (--allow-exec) has "
    "room, in the directory where you are (--cwd), which the worker must see under the same name, "
    "with EOLE_TASK_ID, EOLE_ATTEMPT and EOLE_PROJECT set. What it printed is shown when it ends.\n"
    "\n"
    "Ctrl-C, or SIGTERM: what no worker has is cancelled, what runs is waited for; a second time: "
    "all is cancelled. After SIGKILL what was accepted runs on: with the same --joblog, --resume "
    "finds its results, and runs only what is missing.\n"
    "\n"
    "Examples:\n"
    "  eole run 'convert {} {.}.jpg' ::: *.png\n"
    "  find . -name '*.log' | eole run --each-line - --joblog gz.log gzip -9\n"
    "  eole run --joblog gz.log --resume --each-line files.txt gzip -9\n"
    "  eole run --range 1-1000 --output 'out/{#}.txt' ./simulate --seed\n"
    "  eole run --halt soon,fail=1 --tag ping -c 1 ::: alpha beta gamma\n"
    "  eole run --dry-run 'cp {1} {2}/{1/}' ::: *.txt ::: here there\n"
    "\n"
    "Exit codes: 0 all are done (or --halt met what it hoped for), 1 some failed or were stopped, "
    "2 "
    "bad input or refused, 3 no answer from the cluster.";

// Words of a task that are said of all jobs, beside those that have flags of their own here.
constexpr std::array<std::string_view, 6> kWordsOfJobs{"priority", "needs",  "pin",
                                                       "prefer",   "spread", "speculate"};

struct Words {
  std::vector<std::string> files;
  std::vector<std::string> ranges;
  std::vector<std::string> env;
  std::string script;
  std::string halt = "never";
  std::string output;
  std::string project;
  std::uint32_t attempts = 0;
  bool retry = false;
  bool resume = false;
  bool resume_failed = false;
  bool dry_run = false;
  SaidWords said;
  RunOptions options;
};

// NAME=VALUE; of NAME alone the value that it has here.
std::pair<std::string, Value> variable(const std::string& written) {
  const auto name = written.substr(0, written.find('='));
  if (name.empty()) throw Failure{kBadUse, text("--env ", shown(written), ": has no name")};
  if (name.size() < written.size()) return {name, written.substr(name.size() + 1)};
  const char* here = std::getenv(name.c_str());
  if (here == nullptr)
    throw Failure{kBadUse,
                  text("--env ", shown(name), ": has no value here; give ", shown(name), "=VALUE")};
  return {name, here};
}

Template template_of(const char* what, const std::string& written) {
  auto parsed = Template::parse(written);
  if (!parsed) throw Failure{kBadUse, text(what, ": ", parsed.error().message)};
  return std::move(*parsed);
}

// The command, and behind it the lists.
void read_words(const std::vector<std::string>& words, const std::string& script,
                RunOptions& options) {
  const auto is_mark = [](const std::string& word) { return word == ":::" || word == ":::+"; };
  auto at = std::find_if(words.begin(), words.end(), is_mark);
  std::string command;
  for (auto word = words.begin(); word != at; ++word)
    command += (word == words.begin() ? "" : " ") + *word;
  while (at != words.end()) {
    const auto end = std::find_if(at + 1, words.end(), is_mark);
    if (*at == ":::+" && options.sources.empty())
      throw Failure{kBadUse, "run: :::+ has no source before it to go with"};
    options.sources.push_back({TextList({at + 1, end}), *at == ":::+"});
    at = end;
  }
  if (command.empty() && script.empty()) return;
  if (!script.empty()) command = program_of(script) + (command.empty() ? "" : " ") + command;
  options.command = template_of("run", command);
  if (!options.command->has_places()) options.command = template_of("run", command + " {}");
}

void check(const Words& words, const RunOptions& options) {
  if (options.sources.empty())
    throw Failure{kBadUse,
                  "run: no inputs; give them behind :::, or by --each-line FILE or --range A-B"};
  for (const auto& [what, place] :
       {std::pair{"run", options.command}, {"--output", options.output}})
    if (place && place->highest_source() > options.sources.size())
      throw Failure{kBadUse, text(what, ": {", place->highest_source(), "}: there ",
                                  options.sources.size() == 1 ? "is " : "are ",
                                  counted(options.sources.size(), "source"), " of inputs")};
  if (options.output && !options.output->has_places())
    throw Failure{kBadUse, "--output: names one file for all jobs; {#} in it is the job's number"};
  if ((words.resume || words.resume_failed) && options.joblog.empty())
    throw Failure{kBadUse, "--resume: needs the --joblog of the run to go on with"};
  if (std::count(words.files.begin(), words.files.end(), "-") > 1)
    throw Failure{kBadUse, "--each-line -: standard input can be read once"};
}

void show_lines(const RunOptions& options) {
  Feed feed(options.sources);
  const History history(options.joblog, options.begin);
  while (!feed.is_over()) {
    const auto inputs = feed.next();
    if (!inputs && feed.is_over()) break;
    if (!inputs) {
      wait_for_input(feed.fd());
      continue;
    }
    if (history.is_over(inputs->number)) continue;
    if (const auto args = args_of(options, *inputs); !args)
      throw Failure{kBadUse, text("job ", inputs->number, ": ", shown(args.error().message))};
    const auto line = line_of(options, *inputs) + "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
  }
}

void need_exec(Cluster& cluster) {
  const auto offered = need(cluster.ventilator.query("kinds"));
  if (!kinds::OfferedKinds(offered).has(kinds::kExec.name))
    throw Failure{kBadUse,
                  "run: no connected worker runs commands; start one with --allow-exec (eole up "
                  "--allow-exec, worker --allow-exec)"};
}

int run(Words words, const std::vector<std::string>& rest, const Globals& globals) {
  auto& options = words.options;
  read_words(rest, words.script, options);
  if (!words.output.empty()) options.output = template_of("--output", words.output);
  check(words, options);
  for (const auto& each : words.env) options.env.push_back(variable(each));
  options.halt = need(HaltPolicy::parse(words.halt));
  if (!words.script.empty() && !options.cwd.empty())
    throw Failure{kBadUse, "--script: is run in a fresh directory, not in one of --cwd"};
  if (words.script.empty() && options.cwd.empty())
    options.cwd = std::filesystem::current_path().string();
  if (words.resume) options.begin = History::Begin::kResume;
  if (words.resume_failed) options.begin = History::Begin::kResumeFailed;
  if (words.dry_run) return show_lines(options), kDone;
  options.task_class = task_said(words.said).task_class;
  options.task_class.kind = std::string(kinds::kExec.name);
  options.task_class.project = words.project;
  options.task_class.attempts_max = static_cast<std::uint8_t>(words.attempts);
  options.task_class.retry = words.retry ? 1 : 0;
  Cluster cluster(globals);
  need_exec(cluster);
  look_for_pins(cluster, {options.task_class.place});
  if (!words.script.empty()) options.files = put_script(words.script, cluster).files;
  return Jobs(cluster, std::move(options)).run();
}

}  // namespace

void add_run(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("run", "Run a command for each of many inputs");
  auto words = std::make_shared<Words>();
  auto& parser = command->parser();
  parser.prefix_command();
  parser.fallthrough(false);  // Words of the command may be commands of ours.
  // It takes no word. Without one the parser would hand what is behind a -- to the whole program.
  command
      ->add_option_function(
          "words", [](const std::string&) {}, "")
      ->hidden()
      ->check([](const std::string&) { return std::string("not here"); });
  parser.validate_positionals();
  command->add_option("--cluster", globals.cluster_path)->hidden();
  auto* files = command->add_option("--each-line", words->files,
                                    "a job for each line of this file; - reads standard input");
  auto* ranges = command->add_option("--range", words->ranges,
                                     "a job for each number: 1-1000, or 0-100:10 in steps");
  for (auto* option : {files, ranges}) option->repeatable();
  auto& options = words->options;
  command->add_option("--joblog", options.joblog,
                      "a line for each job that has ended, in the columns of GNU parallel");
  command->add_flag("--resume", words->resume, "leave out the jobs that the joblog has");
  command->add_flag("--resume-failed", words->resume_failed, "the same, but for those that failed");
  command->add_option("--halt", words->halt,
                      "when it is enough: soon (what runs may end) or now, then ,fail=N ,success=N "
                      "or ,done=N, or N% of those that ended [never]");
  command->add_flag("--dry-run", words->dry_run, "print the command lines, run nothing");
  command->add_flag("--bar", options.has_bar, "show how far it is, on a terminal");
  command->add_flag("--keep-order,-k", options.keeps_order, "print in the order of the inputs");
  command->add_flag("--tag", options.is_tagged, "the inputs and a tab in front of every line");
  command->add_option("--output", words->output,
                      "a file for each job's standard output, with places as COMMAND has them");
  command->add_option("--cwd", options.cwd, "the directory to run in [this one]");
  command->add_option("--sign", options.key, "KEYFILE of eole key make, for workers --signed-by");
  command->add_option("--script", words->script,
                      "a file here that goes along to each job, in a fresh directory there, and is "
                      "run; COMMAND is its arguments, behind -- if they begin with a dash");
  command->add_option("--env", words->env, "NAME=VALUE, or NAME as it is here")->repeatable();
  command->add_option("--project", words->project, "a name to find the tasks by");
  command->add_flag("--retry", words->retry, "try a failed job again");
  command->add_option("--attempts", words->attempts, "the most attempts of a job [5]")
      ->check(whole_number(1, 255));
  command->add_option("--timeout", options.timeout, "seconds that a job may run")
      ->between(0.001, kinds::kSecondsMax);
  for (const auto& word : task_words())
    if (std::find(kWordsOfJobs.begin(), kWordsOfJobs.end(), word.name) != kWordsOfJobs.end())
      add_flag(*command, word, words->said);
  command->footer(kHelp);
  command->callback([=, &globals] {
    auto rest = command->parser().remaining();
    if (!rest.empty() && rest.front() == "--")
      rest.erase(rest.begin());  // What follows is the command's, however it begins.
    else if (!rest.empty() && rest.front().size() > 1 && rest.front()[0] == '-')
      throw CLI::ExtrasError("run", rest);  // An option, and none of ours.
    std::size_t file = 0;
    std::size_t range = 0;
    for (const auto* option : command->parser().parse_order()) {
      if (option == &files->parser())
        words->options.sources.push_back({words->files[file++], false});
      if (option == &ranges->parser())
        words->options.sources.push_back(
            {TextList(need(parse_range(words->ranges[range++]))), false});
    }
    globals.exit_code = run(std::move(*words), rest, globals);
  });
}

}  // namespace eole::cli
