#include <algorithm>
#include <cctype>
#include <filesystem>

#include "cli/common.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/process/private.hpp"

namespace eole::cli {

namespace {

constexpr std::size_t kNameMost = 64;

// It is in the key table, and in a file's name.
bool is_key_name(const std::string& name) {
  const auto fits = [](unsigned char letter) {
    return std::isalnum(letter) != 0 || letter == '-' || letter == '_';
  };
  return !name.empty() && name.size() <= kNameMost && std::all_of(name.begin(), name.end(), fits);
}

struct JoinOptions {
  std::vector<std::string> roles;
  std::string name;
  std::string prefix;
  std::string path;
  bool force = false;
};

std::set<net::Role> roles_of(const JoinOptions& options) {
  std::set<net::Role> roles;
  for (const auto& name : options.roles) {
    const auto role = net::parse_role(name);
    if (!role)
      throw Failure{kBadUse,
                    text("--role ", name, ": one of submit, work, settle, observe, admin")};
    if (!options.prefix.empty() && !net::is_for_bound(*role))
      throw Failure{kBadUse,
                    text("--prefix: goes with submit, observe and admin, not with ", name)};
    roles.insert(*role);
  }
  return roles;
}

void join(const Globals& globals, const JoinOptions& options) {
  process::keep_private();
  auto who = options.name.empty() ? options.roles.front() : options.name;
  auto path = options.path;
  if (!is_key_name(who))
    throw Failure{kBadUse, text("--name ", shown(who), ": letters, digits, - and _, ", kNameMost,
                                " at most, are a name")};
  const auto roles = roles_of(options);
  Within within;
  if (!options.prefix.empty()) {
    auto parsed = Within::parse(options.prefix);
    if (!parsed) throw Failure{kBadUse, text("--prefix: ", shown(parsed.error().message))};
    within = std::move(*parsed);
  }
  auto file = need(net::read_cluster_file(net::cluster_file_path(globals.cluster_path)));
  if (!file.is_encrypted())
    throw Failure{kBadUse,
                  "join: this cluster is ipc only; start it with `eole up --listen ADDRESS`"};
  if (file.key_table.empty() || !std::filesystem::exists(file.key_table))
    throw Failure{kBadUse, "join: only where `eole up` runs, with its own cluster file"};
  const auto table = file.key_table;
  who = net::free_key_name(table, who);  // So that each can be revoked alone.
  if (path.empty()) path = text("eole-", who, ".toml");
  if (!options.force && std::filesystem::exists(std::filesystem::symlink_status(path)))
    throw Failure{kBadUse, text(shown(path), ": is there already; --force overwrites it")};
  file.key_table.clear();
  file.token_table.clear();
  file.pipes.clear();
  file.name = who;
  file.keys = net::make_key_pair();
  net::write_cluster_file(path, file);
  net::authorize(table, file.keys.public_key, who, roles, within);
  if (globals.json)
    print_json(Value::Map{{"file", path}, {"name", who}, {"public_key", file.keys.public_key}});
  else
    std::printf(
        "%s: key %s; take it to the other machine and use it as --cluster FILE or EOLE_CLUSTER\n",
        shown(path).c_str(), who.c_str());
}

}  // namespace

void add_join(Command& app, Globals& globals) {
  auto* command =
      app.add_subcommand("join", "Make a join file: all that a process elsewhere needs to join");
  auto options = std::make_shared<JoinOptions>();
  command
      ->add_option("--role", options->roles, "submit, work, settle, observe or admin; repeatable")
      ->required();
  command->add_option("--name", options->name,
                      "what the key table calls it; numbered if it is there [the role]");
  command->add_option("--prefix", options->prefix,
                      "only projects whose names begin so, like acme/: others do not exist for it")
      ->check([](const std::string& given) -> std::string {
        return given.empty() ? "is empty: leave it out for all projects" : "";
      });
  command->add_option("-o,--output", options->path, "the file [eole-NAME.toml, here]");
  command->add_flag("--force", options->force, "overwrite the file");
  command->add_flag("--json", globals.json, "one JSON object");
  command->footer(
      "To revoke it, take its entry out of keys.toml in the cluster's data directory:\n"
      "its next message is refused.\n"
      "Exit codes: 0 made, 2 bad input, the file is there already, or not where `eole up` runs.");
  command->callback([options, &globals] { join(globals, *options); });
}

}  // namespace eole::cli
