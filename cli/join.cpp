#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>

#include "cli/common.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
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

void join(const Globals& globals, const std::vector<std::string>& names, std::string who,
          std::string path, bool force) {
  process::keep_private();
  if (!is_key_name(who))
    throw Failure{kBadUse, text("--name ", shown(who), ": letters, digits, - and _, ", kNameMost,
                                " at most, are a name")};
  std::set<net::Role> roles;
  for (const auto& name : names) {
    const auto role = net::parse_role(name);
    if (!role)
      throw Failure{kBadUse,
                    text("--role ", name, ": one of submit, work, settle, observe, admin")};
    roles.insert(*role);
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
  if (!force && std::filesystem::exists(std::filesystem::symlink_status(path)))
    throw Failure{kBadUse, text(shown(path), ": is there already; --force overwrites it")};
  file.key_table.clear();
  file.pipes.clear();
  file.name = who;
  file.keys = net::make_key_pair();
  net::write_cluster_file(path, file);
  net::authorize(table, file.keys.public_key, who, roles);
  if (globals.json)
    print_json(Value::Map{{"file", path}, {"name", who}, {"public_key", file.keys.public_key}});
  else
    std::printf(
        "%s: key %s; take it to the other machine and use it as --cluster FILE or EOLE_CLUSTER\n",
        shown(path).c_str(), who.c_str());
}

}  // namespace

void add_join(CLI::App& app, Globals& globals) {
  auto* command =
      app.add_subcommand("join", "Make a join file: all that a process elsewhere needs to join");
  auto roles = std::make_shared<std::vector<std::string>>();
  auto name = std::make_shared<std::string>();
  auto path = std::make_shared<std::string>();
  auto force = std::make_shared<bool>(false);
  command->add_option("--role", *roles, "submit, work, settle, observe or admin; repeatable")
      ->required();
  command->add_option("--name", *name,
                      "what the key table calls it; numbered if it is there [the role]");
  command->add_option("-o,--output", *path, "the file [eole-NAME.toml, here]");
  command->add_flag("--force", *force, "overwrite the file");
  command->add_flag("--json", globals.json, "one JSON object");
  command->footer(
      "To revoke it, take its entry out of keys.toml in the cluster's data directory:\n"
      "its next message is refused.\n"
      "Exit codes: 0 made, 2 bad input, the file is there already, or not where `eole up` runs.");
  command->callback([=, &globals] {
    const auto who = name->empty() ? roles->front() : *name;
    join(globals, *roles, who, *path, *force);
  });
}

}  // namespace eole::cli
