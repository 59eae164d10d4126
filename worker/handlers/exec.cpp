#include "common/base/text.hpp"
#include "worker/handlers/command_runner.hpp"
#include "worker/handlers/kinds.hpp"

namespace eole::worker {

namespace {

constexpr std::int64_t kOutputMaxDefault = 256 << 10;
constexpr std::int64_t kOutputMaxMax = 500'000;  // Both streams fit an inline result.

Expected<CommandRunner::Command> command_of(const Value& args) {
  CommandRunner::Command command;
  if (const auto* shell = args["shell"].as<std::string>()) {
    command.argv = {"/bin/sh", "-c", *shell};
  } else if (const auto* argv = args["argv"].as<Value::Array>()) {
    for (const auto& argument : *argv) {
      const auto* string = argument.as<std::string>();
      if (string == nullptr) return Error{"exec: argv holds something that is not text"};
      command.argv.push_back(*string);
    }
  }
  if (command.argv.empty() || command.argv[0].empty())
    return Error{"exec: needs argv (a list of texts) or shell (one text)"};
  for (const auto& argument : command.argv)
    if (argument.find('\0') != std::string::npos) return Error{"exec: argv holds a zero byte"};
  command.env = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                 {"LANG", "C.UTF-8"}};
  if (const auto* env = args["env"].as<Value::Map>())
    for (const auto& [name, value] : *env) command.env[name] = value.text_or("");
  command.cwd = args["cwd"].text_or("");
  command.input = args["stdin"].text_or("");
  return command;
}

struct Captured {
  std::string bytes;
  bool is_cut = false;
  void add(std::string_view more, std::size_t most) {
    const auto room = most - bytes.size();
    is_cut = is_cut || more.size() > room;
    bytes += more.substr(0, room);
  }
};

}  // namespace

Outcome run_exec(const Value& args, TaskContext& context) {
  auto* runner = context.commands();
  if (runner == nullptr)
    return Outcome::failed("exec: this worker was not started with --allow-exec");
  auto command = command_of(args);
  if (!command) return Outcome::failed(command.error().message);
  const auto most = args["output_max"].int_or(kOutputMaxDefault);
  if (most < 0 || most > kOutputMaxMax)
    return Outcome::failed(text("exec: output_max is ", most, " bytes, limit ", kOutputMaxMax));
  const auto& limit = args["timeout"];
  const double timeout =
      limit.as<double>() != nullptr ? *limit.as<double>() : static_cast<double>(limit.int_or(0));

  Captured out;
  Captured err;
  const auto ended = runner->run(
      *command, context.cancel_fd(), timeout, [&](bool is_stderr, std::string_view bytes) {
        context.output(is_stderr ? "stderr" : "stdout", bytes);
        (is_stderr ? err : out).add(bytes, static_cast<std::size_t>(most));
      });
  if (!ended) return Outcome::failed(text("exec: ", ended.error().message));
  if (!ended->is_started) return Outcome::failed(text("exec: ", ended->error));
  Value value = Value::Map{{"exit_code", ended->exit_code},
                           {"stdout", std::move(out.bytes)},
                           {"stderr", std::move(err.bytes)}};
  if (out.is_cut || err.is_cut) value.set("output_cut_at", most);
  if (ended->is_timeout)
    return Outcome::failed(text("exec: over its time limit of ", timeout, " s, killed"), value);
  if (ended->is_killed) return Outcome::failed("cancelled: the process tree was killed", value);
  if (ended->exit_code != 0) return Outcome::failed(text("exit code ", ended->exit_code), value);
  return Outcome::done(value);
}

}  // namespace eole::worker
