#include "worker/command/command.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>

#include "common/base/text.hpp"
#include "common/protocol/value.hpp"
#include "worker/command/launch.hpp"
#include "worker/command/view.hpp"

namespace eole::command {

namespace {

using protocol::Value;

constexpr const char* kPathDefault = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct User {
  std::string name;
  std::string home;
};

// Empty if the system knows nobody by this number.
User this_user() {
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* user = nullptr;
  ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &user);
  return user != nullptr ? User{user->pw_name, user->pw_dir} : User{};
}

/// What every command is told of its task.
std::map<std::string, std::string> told(const frames::Run& run) {
  std::map<std::string, std::string> env{{"EOLE_TASK_ID", run.task},
                                         {"EOLE_ATTEMPT", std::to_string(run.attempt)},
                                         {"EOLE_PROGRESS_FD", std::to_string(kProgressDescriptor)}};
  if (!run.project.empty()) env["EOLE_PROJECT"] = run.project;
  if (!run.traceparent.empty()) env["TRACEPARENT"] = run.traceparent;
  return env;
}

std::vector<std::string> listed(const std::map<std::string, std::string>& env) {
  std::vector<std::string> list;
  list.reserve(env.size());
  for (const auto& [name, value] : env) list.push_back(text(name, "=", value));
  return list;
}

// A zero byte would end a text before its end.
bool is_whole(const std::string& text) { return text.find('\0') == std::string::npos; }

std::string bytes_of(const Value& value) {
  const auto* bytes = value.as<protocol::Blob>();
  return bytes != nullptr ? bytes->bytes : value.text_or("");
}

using Environment = std::map<std::string, std::string>;

void add_box(Environment& env) {
  env["PATH"] = kPathDefault;
  env["HOME"] = "/home";
}

void add_user(Environment& env, const std::string& cwd) {
  const char* path = std::getenv("PATH");
  env["PATH"] = path != nullptr && *path != '\0' ? path : kPathDefault;
  env["HOME"] = cwd;
  static const User user = this_user();
  if (!user.name.empty()) env["USER"] = env["LOGNAME"] = user.name;
  struct stat home {};
  if (::stat(user.home.c_str(), &home) == 0 && S_ISDIR(home.st_mode)) env["HOME"] = user.home;
}

Expected<std::vector<std::string>> environment(const frames::Run& run, const std::string& cwd,
                                               const Value& wanted, bool is_boxed) {
  auto env = told(run);
  is_boxed ? add_box(env) : add_user(env, cwd);
  if (const auto* map = wanted.as<Value::Map>())
    for (const auto& [name, value] : *map) {
      if (name.empty() || !is_whole(name) || name.find('=') != std::string::npos)
        return Error{text("env has the name \"", name, "\": empty, or with = or a zero byte")};
      env[name] = value.text_or("");
      if (!is_whole(env[name])) return Error{text("env ", name, " holds a zero byte")};
    }
  // UTF-8, and else C's: as LANG it would have each program load a dozen files that say the same.
  if (!env.contains("LANG")) env.try_emplace("LC_CTYPE", "C.UTF-8");
  return listed(env);
}

}  // namespace

Expected<Command> script_of(const frames::Run& run, std::vector<std::string> argv) {
  const auto args = Value::from_msgpack(run.args);
  if (!args) return args.error();
  std::map<std::string, std::string> env;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    const std::string_view said = *variable;
    const auto equals = said.find('=');
    if (equals != said.npos) env[std::string(said.substr(0, equals))] = said.substr(equals + 1);
  }
  env.erase(frames::kSocketVariable);
  for (auto& [name, value] : told(run)) env[name] = value;
  return Command{.argv = std::move(argv),
                 .env = listed(env),
                 .cwd = run.directory,
                 .input = args->to_json() + "\n",
                 .use = Command::Use::kScript};
}

Expected<Command> command_of(const frames::Run& run, bool is_boxed) {
  const auto args = Value::from_msgpack(run.args);
  if (!args) return args.error();
  Command command;
  if (const auto& shell = (*args)["shell"]; !shell.is_null())
    command.argv = {"/bin/sh", "-c", bytes_of(shell)};
  if (const auto* argv = (*args)["argv"].as<Value::Array>())
    for (const auto& argument : *argv) command.argv.push_back(bytes_of(argument));
  if (command.argv.empty() || command.argv[0].empty()) return Error{"the program's name is empty"};
  for (const auto& argument : command.argv)
    if (!is_whole(argument)) return Error{"argv holds a zero byte"};
  command.cwd = (*args)["cwd"].text_or("");
  const bool is_relative = !command.cwd.starts_with('/');
  if (is_relative && goes_up(command.cwd))
    return Error{text("cwd ", command.cwd, ": leads out of the directory that is its own")};
  if (is_relative)
    command.cwd = command.cwd.empty() ? run.directory : text(run.directory, "/", command.cwd);
  if (!is_whole(command.cwd)) return Error{"cwd holds a zero byte"};
  auto env = environment(run, command.cwd, (*args)["env"], is_boxed);
  if (!env) return env.error();
  command.env = std::move(*env);
  command.input = bytes_of((*args)["stdin"]);
  return command;
}

}  // namespace eole::command
