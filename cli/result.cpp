
#include "cli/lookup.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

// As it is into a file or a pipe; a terminal gets no control sequences.
void print_output(const Value& output, std::FILE* to) {
  const auto* blob = output.as<protocol::Blob>();
  const auto bytes = blob != nullptr ? blob->bytes : output.text_or("");
  const auto out = is_terminal(::fileno(to)) ? shown(bytes, Keep::kLines) : bytes;
  std::fwrite(out.data(), 1, out.size(), to);
}

int run(const std::string& written, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = look_up(cluster, need_id(written));
  const auto state = view["state"].text_or("");
  const auto code = state == "done" ? kDone : kNotDone;
  if (globals.json) return print_json(view), code;
  if (!is_settled(view)) throw Failure{kNotDone, text(written, ": not settled, ", state)};
  const auto& value = view["value"];
  const bool is_command = !value["exit_code"].is_null();
  if (is_command) {
    print_output(value["stdout"], stdout);
    print_output(value["stderr"], stderr);
  }
  if (code != kDone)
    throw Failure{code, text(written, ": ", state, ": ", view["error"].text_or(""))};
  if (!is_command) std::printf("%s\n", value.to_json().c_str());
  return code;
}

}  // namespace

void add_result(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("result", "Print a task's result; exit 0 if it is done");
  auto id = std::make_shared<std::string>();
  command->add_option("id", *id, "the task")->required();
  command->add_flag("--json", globals.json, "all that is known, as one JSON object");
  command->footer(
      "The value as JSON; of a command what it printed, to standard output and standard error\n"
      "(on a terminal without control sequences).\n"
      "Example:\n"
      "  eole result k3f9qz-17 > out.txt\n"
      "Exit codes: 0 done, 1 not done, not settled or no such task, 2 bad input, 3 no answer.");
  command->callback([id, &globals] { globals.exit_code = run(*id, globals); });
}

}  // namespace eole::cli
