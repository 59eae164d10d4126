#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

#include "cli/common.hpp"
#include "cli/doctor_machine.hpp"
#include "cli/reach.hpp"
#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/net/tokens.hpp"

namespace eole::cli {

namespace {

using State = Finding::State;
using Findings = std::vector<Finding>;

constexpr Duration kPatience = 3s;  // Whoever listens here and is well answers at once.

/// What is known of the cluster before anybody is asked.
struct Known {
  net::ClusterFile file;
  std::string data;  // Empty: its roles do not run on this machine.
};

// One that does not take connections: on its own machine it may just not have been started.
Finding away(const Known& known, const std::string& of, const std::string& endpoint,
             const std::string& why) {
  if (!known.data.empty())
    return {of, State::kPoor, text("does not run: ", endpoint, ": ", why),
            "start it: `eole up`, or `systemctl start eole.target`"};
  return {of, State::kWrong, text("cannot be reached: ", endpoint, ": ", why),
          "look whether it runs, and at the firewalls between: they must let these ports in"};
}

Finding look_at_role(const Known& known, net::Context& context, const std::string& of,
                     const std::string& endpoint) {
  if (const auto why = unreached(endpoint); !why.empty()) return away(known, of, endpoint, why);
  const auto status =
      client::Requests(context, endpoint, "the " + of).query("status", {}, {}, kPatience);
  // A key that may not ask was heard, too.
  if (status || !status.error().is_silence())
    return {of, State::kOk, text("answers at ", endpoint), {}};
  return {of, State::kWrong, text("somebody listens at ", endpoint, ", but does not answer"),
          known.file.is_encrypted()
              ? "look whether this key was revoked (keys.toml), and at the role's log"
              : "look at the role's log; end the process that listens there if it is another's"};
}

// Those of all workers that are connected.
Findings look_at_runners(const Known& known, net::Context& context) {
  client::Requests ventilator(context, known.file.ventilator, "the ventilator");
  const auto workers = ventilator.query("workers", {}, {}, kPatience);
  const auto kinds = ventilator.query("kinds", {}, {}, kPatience);
  if (!workers || !kinds) return {};  // Said of the ventilator.
  Findings findings;
  if (const auto* list = workers->as<Value::Array>())
    for (const auto& worker : *list)
      if (const auto* broken = worker["broken"].as<Value::Array>())
        for (const auto& each : *broken)
          findings.push_back({"runners", State::kWrong,
                              text("of worker ", worker["name"].text_or(""),
                                   " cannot start: ", each["problem"].text_or("")),
                              "mend it: the worker tries it again, every 30 s at least"});
  const auto count = kinds::OfferedKinds(*kinds).of_runners().size();
  if (count > 0)
    findings.push_back(
        {"runners", State::kOk, text("run ", counted(count, "kind"), " of their own"), {}});
  return findings;
}

Finding look_at_page(const Known& known) {
  const auto& page = known.file.http;
  const auto why = unreached(page);
  return why.empty() ? Finding{"page", State::kOk, text("taken at ", page), {}}
                     : away(known, "page", page, why);
}

// All that the roles here will read, as they will read it.
Finding look_at_keys(const Known& known) {
  try {
    struct stat status {};
    if (::stat(known.data.c_str(), &status) == 0 && (status.st_mode & 0077) != 0)
      return {"keys", State::kWrong, text("others may enter ", known.data), "chmod it to 0700"};
    for (const auto* name : {"server.toml", "worker.toml", "gateway.toml", "admin.toml"}) {
      const auto file = net::read_cluster_file(text(known.data, "/", name));
      if (!file) throw std::runtime_error(file.error().message);
      if (!file->key_table.empty()) net::Authority(file->key_table, file->server_key);
    }
    net::TokenTable(known.file.token_table).tokens();
  } catch (const std::exception& error) {
    return {"keys", State::kWrong, error.what(),
            "put the file back as it was; `eole init` writes the cluster files that are gone"};
  }
  return {"keys",
          State::kOk,
          text("files and tables in ", known.data, " are whole, and yours alone"),
          {}};
}

std::string nearest_directory(std::filesystem::path path) {
  std::error_code ignored;
  while (!std::filesystem::is_directory(path, ignored) && path.has_relative_path())
    path = path.parent_path();
  return path.string();
}

void print(const Finding& finding, bool is_json) {
  const auto* state = finding.state == State::kOk     ? "ok"
                      : finding.state == State::kPoor ? "poor"
                                                      : "wrong";
  if (is_json)
    return print_json(Value::Map{
        {"of", finding.of}, {"state", state}, {"what", finding.what}, {"advice", finding.advice}});
  constexpr int kGreen = 32;
  constexpr int kYellow = 33;
  constexpr int kRed = 31;
  const int colour = finding.state == State::kOk     ? kGreen
                     : finding.state == State::kPoor ? kYellow
                                                     : kRed;
  std::printf("%s %s %s\n", coloured(cell(state, 5), colour).c_str(), cell(finding.of, 10).c_str(),
              shown(finding.what).c_str());
  if (!finding.advice.empty()) std::printf("%17s%s\n", "", shown(finding.advice).c_str());
  flush_output();
}

struct DoctorOptions {
  std::string data;
};

int examine(const DoctorOptions& options, const Globals& globals) {
  bool is_well = true;
  const auto tell = [&](const Finding& finding) {
    print(finding, globals.json);
    is_well = is_well && finding.state != State::kWrong;
  };
  tell(look_at_files());
  tell(look_at_clock());
  tell(look_at_programs());
  tell(look_at_sandbox(nearest_directory(net::state_directory())));
  const auto path = net::cluster_file_path(globals.cluster_path);
  const auto file = net::read_cluster_file(path);
  Known known;
  if (file) known.file = *file;
  if (!known.file.token_table.empty())
    known.data = std::filesystem::path(known.file.token_table).parent_path().string();
  const bool is_elsewhere = file && known.data.empty() && options.data.empty();
  if (!is_elsewhere) {
    auto data = options.data.empty() ? known.data : options.data;
    if (data.empty()) data = net::state_directory() + "/data";
    const auto directory = nearest_directory(std::filesystem::absolute(data));
    tell(look_at_syncs(directory));
    tell(look_at_space(directory));
  }
  std::error_code ignored;
  if (!file) {
    const bool is_there = std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
    tell({"keys", is_there ? State::kWrong : State::kPoor, file.error().message,
          "`eole up` or `eole init` makes a cluster; `eole join` of one elsewhere makes the file"});
    return is_well ? kDone : kNotDone;
  }
  if (!known.data.empty()) tell(look_at_keys(known));
  net::Context context(known.file);
  tell(look_at_role(known, context, "ventilator", known.file.ventilator));
  tell(look_at_role(known, context, "sink", known.file.queries));
  if (unreached(known.file.ventilator).empty())
    for (const auto& finding : look_at_runners(known, context)) tell(finding);
  if (!known.file.http.empty() && !known.data.empty()) tell(look_at_page(known));
  return is_well ? kDone : kNotDone;
}

}  // namespace

void add_doctor(Command& app, Globals& globals) {
  auto* command = app.add_subcommand(
      "doctor", "Look at this machine and this cluster, and say what should be otherwise");
  auto options = std::make_shared<DoctorOptions>();
  command->add_option("--data", options->data,
                      "data directory to look at [that of the cluster, if it is here]");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "Looks at open files, clock, releases of the programs, syncs and room of the disk, keys\n"
      "and modes, whether ventilator, sink and page can be reached, and whether the runners of\n"
      "connected workers start. Changes nothing; for the disk it writes 800 KB into a directory\n"
      "that it removes.\n"
      "poor: it works, but may be slow or lose what it promised; wrong: it does not work.\n"
      "Exit codes: 0 nothing is wrong, 1 something is, 2 bad input.");
  command->callback([options, &globals] { globals.exit_code = examine(*options, globals); });
}

}  // namespace eole::cli
