#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "worker/runners/process/command_runner.hpp"
#include "worker/handlers/kept_output.hpp"
#include "worker/handlers/kinds.hpp"

namespace eole::worker {

namespace {

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

// As cron has it: the worker's user, at home; the worker's PATH, for it was started with tools.
void set_environment(CommandRunner::Command& command, const TaskContext& context) {
  const char* path = std::getenv("PATH");
  command.env = {{"PATH", path != nullptr && *path != '\0' ? path : kPathDefault},
                 {"LANG", "C.UTF-8"},
                 {"HOME", command.cwd},
                 {"EOLE_TASK_ID", context.task_id()},
                 {"EOLE_ATTEMPT", std::to_string(context.attempt())}};
  static const User user = this_user();
  if (!user.name.empty()) command.env["USER"] = command.env["LOGNAME"] = user.name;
  struct stat home {};
  if (::stat(user.home.c_str(), &home) == 0 && S_ISDIR(home.st_mode))
    command.env["HOME"] = user.home;
}

// A zero byte would end a text before its end.
bool is_whole(const std::string& text) { return text.find('\0') == std::string::npos; }

Expected<void> add_variables(const Value& wanted, std::map<std::string, std::string>& env) {
  const auto* map = wanted.as<Value::Map>();
  if (map == nullptr) return {};
  for (const auto& [name, value] : *map) {
    if (name.empty() || !is_whole(name) || name.find('=') != std::string::npos)
      return Error{text("exec: env has the name \"", name, "\": empty, or with = or a zero byte")};
    env[name] = value.text_or("");
    if (!is_whole(env[name])) return Error{text("exec: env ", name, " holds a zero byte")};
  }
  return {};
}

double number(const Value& value) {
  return value.as<double>() != nullptr ? *value.as<double>() : 0;
}

std::chrono::milliseconds milliseconds_of(const Value& seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(number(seconds) * 1000)));
}

Expected<CommandRunner::Command> command_of(const Value& args, TaskContext& context) {
  CommandRunner::Command command;
  if (const auto* shell = args["shell"].as<std::string>()) command.argv = {"/bin/sh", "-c", *shell};
  if (const auto* argv = args["argv"].as<Value::Array>())
    for (const auto& argument : *argv) command.argv.push_back(argument.text_or(""));
  if (command.argv.empty() || command.argv[0].empty())
    return Error{"exec: the program's name is empty"};
  for (const auto& argument : command.argv)
    if (!is_whole(argument)) return Error{"exec: argv holds a zero byte"};
  command.cwd = args["cwd"].text_or("");
  if (!is_whole(command.cwd)) return Error{"exec: cwd holds a zero byte"};
  if (command.cwd.empty()) command.cwd = context.scratch_directory();
  set_environment(command, context);
  if (auto added = add_variables(args["env"], command.env); !added) return added.error();
  const auto* bytes = args["stdin"].as<protocol::Blob>();
  command.input = bytes != nullptr ? bytes->bytes : args["stdin"].text_or("");
  command.time_limit = milliseconds_of(args["timeout"]);
  command.term_grace = milliseconds_of(args["term_grace"]);
  return command;
}

/// Passes output on, cut between characters: what begins one waits for the rest of it.
class Live {
 public:
  Live(TaskContext& context, const char* stream) : context_(context), stream_(stream) {}
  void add(std::string_view bytes) {
    held_ += bytes;
    const auto whole = held_.size() - unfinished_at_end(held_);
    if (whole > 0) context_.output(stream_, std::string_view(held_).substr(0, whole));
    held_.erase(0, whole);
  }
  void end() {
    if (!held_.empty()) context_.output(stream_, held_);
  }

 private:
  TaskContext& context_;
  const char* stream_;
  std::string held_;
};

struct Stream {
  Live live;
  KeptOutput kept;
};

std::string how_it_ended(const CommandRunner::Ended& ended, const CommandRunner::Command& command) {
  if (!ended.needed_kill) return "SIGTERM ended the process tree";
  return text("SIGTERM did not end the process tree within ", command.term_grace.count(),
              " ms, so it was killed");
}

Outcome outcome_of(const CommandRunner::Ended& ended, const CommandRunner::Command& command,
                   Value value) {
  using End = CommandRunner::End;
  switch (ended.end) {
    case End::kByItself:
      if (ended.exit_code == 0) return Outcome::done(std::move(value));
      return Outcome::failed(text("exit code ", ended.exit_code), std::move(value));
    case End::kNotStarted:
      return Outcome::failed(text("exec: ", ended.error));
    case End::kTimeLimit:
      return Outcome::failed(text("exec: over its time limit of ", command.time_limit.count(),
                                  " ms; ", how_it_ended(ended, command)),
                             std::move(value));
    case End::kCancelled:
      return Outcome::failed(text("cancelled: ", how_it_ended(ended, command)), std::move(value));
    case End::kLost:
      return Outcome::lost(text("exec: lost: ", ended.error), std::move(value));
  }
  return {};
}

}  // namespace

Outcome run_exec(const Value& args, TaskContext& context) {
  auto* runner = context.commands();
  if (runner == nullptr)
    return Outcome::failed("exec: this worker was not started with --allow-exec");
  auto command = command_of(args, context);
  if (!command) return Outcome::failed(command.error().message);

  const auto most = static_cast<std::uint64_t>(args["output_max"].int_or(0));
  Stream out{{context, "stdout"}, {context.scratch_path("stdout"), most}};
  Stream err{{context, "stderr"}, {context.scratch_path("stderr"), most}};
  const auto ended =
      runner->run(*command, context.cancel_fd(), [&](bool is_stderr, std::string_view bytes) {
        auto& stream = is_stderr ? err : out;
        stream.live.add(bytes);
        stream.kept.add(bytes);
      });
  Value value = Value::Map{{"exit_code", ended.exit_code}};
  for (const auto& [name, stream] : {std::pair{"stdout", &out}, std::pair{"stderr", &err}}) {
    stream->live.end();
    stream->kept.tell(name, value);
  }
  auto outcome = outcome_of(ended, *command, std::move(value));
  for (const auto& [name, stream] : {std::pair{"stdout", &out}, std::pair{"stderr", &err}}) {
    if (const auto& problem = stream->kept.problem(); !problem.empty() && outcome.is_done)
      return Outcome::failed(text("exec: its ", name, " could not be kept: ", problem),
                             std::move(outcome.value));
    if (auto file = stream->kept.take_file(name)) outcome.files.push_back(std::move(*file));
  }
  return outcome;
}

}  // namespace eole::worker
