#include <cstdio>

#include "cli/common.hpp"
#include "clients/cpp/tasks/schedule_view.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/net/tokens.hpp"
#include "common/process/hash.hpp"
#include "common/process/private.hpp"
#include "common/process/system.hpp"

// Tokens: who may use HTTP.
namespace eole::cli {

namespace {

struct TokenOptions {
  std::string name;
  std::string role;
  std::string prefix;
};

net::TokenTable table_of(const Globals& globals) {
  process::keep_private();
  const auto file = need(net::read_cluster_file(net::cluster_file_path(globals.cluster_path)));
  if (file.token_table.empty())
    throw Failure{kBadUse,
                  "token: only where `eole up` runs, with its own cluster file; elsewhere "
                  "the page's screen Access does it"};
  return net::TokenTable(file.token_table);
}

Value view_of(const net::Token& token) {
  return Value::Map{{"name", token.name},
                    {"role", net::to_text(token.role)},
                    {"prefix", token.prefix},
                    {"made", client::time_view(token.made_unix_ms)}};
}

net::Role role_in(const TokenOptions& options) {
  const auto role = net::parse_token_role(options.role);
  if (!role) throw Failure{kBadUse, role.error().message};
  return *role;
}

void add(const TokenOptions& options, const Globals& globals) {
  const auto role = role_in(options);
  const auto token = net::make_token(process::random_u64);
  auto table = table_of(globals);
  const net::Token kept{options.name, hex(process::sha256(token)), role, options.prefix,
                        process::unix_ms()};
  need(table.add(kept));
  auto view = view_of(kept);
  view.set("token", token);
  if (globals.json) return print_json(view);
  std::printf("%s\n", token.c_str());
  std::fflush(stdout);
  std::fprintf(stderr, "eole: this is token %s; it is shown once, and only its digest is kept\n",
               options.name.c_str());
}

void list(const Globals& globals) {
  auto table = table_of(globals);
  const auto& tokens = table.tokens();
  for (const auto& token : tokens) {
    if (globals.json) {
      print_json(view_of(token));
      continue;
    }
    const auto made = client::time_view(token.made_unix_ms).text_or("");
    std::printf("%-20s  %-7s  %-20s  made %s\n", token.name.c_str(),
                std::string(net::to_text(token.role)).c_str(),
                token.prefix.empty() ? "all projects" : shown(token.prefix).c_str(), made.c_str());
  }
  if (tokens.empty() && !globals.json) std::puts("no tokens");
}

void set_role(const TokenOptions& options, const Globals& globals) {
  const auto role = role_in(options);
  need(table_of(globals).set_role(options.name, role));
  const std::string given(net::to_text(role));
  globals.json ? print_json(Value::Map{{"name", options.name}, {"role", given}})
               : void(std::printf("%s has role %s\n", options.name.c_str(), given.c_str()));
}

void revoke(const TokenOptions& options, const Globals& globals) {
  need(table_of(globals).remove(options.name));
  globals.json ? print_json(Value::Map{{"revoked", options.name}})
               : void(std::printf("%s is revoked\n", options.name.c_str()));
}

}  // namespace

void add_token(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("token", "Tokens: who may use HTTP, and for what");
  command->require_subcommand(1, 1);
  auto options = std::make_shared<TokenOptions>();
  const auto sub = [&](const char* name, const char* about, auto act) {
    auto* one = command->add_subcommand(name, about);
    one->add_flag("--json", globals.json, "one JSON object a line");
    one->callback([=, &globals] { act(*options, globals); });
    return one;
  };
  auto* adding = sub("add", "Make one and print it, once: only its digest is kept",
                     [](const auto& given, const auto& all) { add(given, all); });
  adding->add_option("name", options->name, "letters, digits, - and _")->required();
  adding
      ->add_option("--role", options->role,
                   "observe: see; submit: also submit, cancel, upload; admin: all")
      ->required();
  adding->add_option("--prefix", options->prefix,
                     "of projects, outside of which it sees nothing: acme/ [all projects]")
      ->check([](const std::string& given) -> std::string {
        return given.empty() ? "is empty: leave it out for all projects" : "";
      });
  sub("list", "All of them", [](const auto&, const auto& all) { list(all); });
  auto* role = sub("role", "Give one another role: what it opened ends within a second",
                   [](const auto& given, const auto& all) { set_role(given, all); });
  role->add_option("name", options->name, "which")->required();
  role->add_option("role", options->role, "observe, submit or admin")->required();
  sub("revoke", "Take one back: what it opened ends within a second",
      [](const auto& given, const auto& all) { revoke(given, all); })
      ->add_option("name", options->name, "which")
      ->required();
  command->footer(
      "A token is asked for where `eole up --http` listens beyond this machine, or with\n"
      "--http-tokens. Programs send it as `Authorization: Bearer TOKEN`, a browser logs in.\n"
      "  eole token add ci --role submit --prefix ci/ > ci.token\n"
      "  curl -H \"Authorization: Bearer $(cat ci.token)\" $page/tasks\n"
      "Exit codes: 0 done, 2 bad input, no such token, or not where `eole up` runs.");
}

}  // namespace eole::cli
