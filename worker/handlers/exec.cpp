#include "common/kinds/exec.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/causes.hpp"
#include "worker/command/serve.hpp"
#include "worker/handlers/exec_files.hpp"
#include "worker/handlers/kept_output.hpp"
#include "worker/handlers/kinds.hpp"
#include "worker/handlers/live_output.hpp"
#include "worker/handlers/secrets.hpp"
#include "worker/runners/process/process_runner.hpp"

namespace eole::worker {

namespace {

using End = ProcessRunner::End;
using namespace std::chrono_literals;

constexpr auto kKeptWithin = 10s;  // Of a command whose time was over, what it left.

std::chrono::milliseconds milliseconds_of(const Value& seconds) {
  const auto* number = seconds.as<double>();
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::ceil((number != nullptr ? *number : 0) * 1000)));
}

std::chrono::milliseconds milliseconds_until(TimePoint until) {
  return std::chrono::ceil<std::chrono::milliseconds>(until - process::now());
}

struct Stream {
  MaskedStream masked;
  LiveOutput live;
  KeptOutput kept;
  void add(std::string_view bytes) { tell(masked.add(bytes)); }
  void end() {
    tell(masked.end());
    live.end();
  }
  void tell(std::string_view bytes) {
    live.add(bytes);
    kept.add(bytes);
  }
};

// The arguments with the secrets that they name: among the variables, and for git.
Expected<Value> with_secrets(const Value& args, TaskContext& context) {
  auto all = args;
  if (const auto& name = args["git_secret"]; !name.is_null()) {
    auto secret = context.secret(name.text_or(""));
    if (!secret) return secret.error();
    all.set("git_secret", std::move(*secret));
    all.set("git_secret_name", name);
  }
  const auto* names = args["secrets"].as<Value::Array>();
  if (names == nullptr) return all;
  auto env = args["env"].is_null() ? Value(Value::Map{}) : args["env"];
  for (const auto& each : *names) {
    const auto name = each.text_or("");
    auto secret = context.secret(name);
    if (!secret) return secret.error();
    if (!env[name].is_null()) return Error{text("secrets: ", name, " is a variable of env, too")};
    env.set(name, std::move(*secret));
  }
  all.set("env", std::move(env));
  return all;
}

// Which of its failures may be tried again is said by these.
std::string cause_of(const ProcessRunner::Ended& ended) {
  if (ended.end == End::kTimeLimit) return std::string(protocol::kCauseTimeout);
  if (ended.end != End::kFailed || ended.value.is_null()) return {};
  const auto signal = ended.value["signal"].int_or(0);
  if (signal > 0) return text("signal:", signal);
  return text("exit:", ended.value["exit_code"].int_or(0));
}

Outcome outcome_of(const ProcessRunner::Ended& ended, std::chrono::milliseconds limit,
                   Value value) {
  const auto how = ended.error.empty() ? std::string() : text("; ", ended.error);
  switch (ended.end) {
    case End::kDone:
      return Outcome::done(std::move(value));
    case End::kFailed:
      if (ended.value.is_null()) return Outcome::failed(text("exec: ", ended.error));
      return Outcome::failed(ended.error, std::move(value));
    case End::kTimeLimit:
      return Outcome::failed(text("exec: over its time limit of ", limit.count(), " ms", how),
                             std::move(value));
    case End::kCancelled:
      return Outcome::failed(text("cancelled", how), std::move(value));
    case End::kLost:
    case End::kUnbegun:
      return Outcome::lost(text("exec: lost: the process above it ", ended.error,
                                "; all that it had started was killed", ended.words),
                           std::move(value));
  }
  return {};
}

}  // namespace

ProcessRunner::Program command_program() {
  return {.path = "/proc/self/exe",
          .argv = {"eole-commands", command::kServeArgument},
          .kinds = {std::string(kinds::kExec.name)}};
}

Outcome run_exec(const Value& args, TaskContext& context) {
  auto* runner = context.runner();
  if (runner == nullptr)
    return Outcome::failed("exec: this worker was not started with --allow-exec");
  const auto most = static_cast<std::uint64_t>(args["output_max"].int_or(0));
  const auto all = with_secrets(args, context);
  if (!all) return Outcome::failed(text("exec: ", all.error().message));
  const auto& mask = context.mask();
  Stream out{MaskedStream(mask), {context, "stdout"}, {context, "stdout", most}};
  Stream err{MaskedStream(mask), {context, "stderr"}, {context, "stderr", most}};
  const bool has_place = args["cwd"].text_or("").starts_with('/');
  for (const char* name : {"files", "outputs", "git"})
    if (has_place && !args[name].is_null())
      return Outcome::failed(text("exec: ", name, " are of a fresh directory; cwd must not be ",
                                  "somewhere else (a relative one is below it)"));
  for (const char* name : {"revision", "depth", "git_secret"})
    if (args["git"].is_null() && !args[name].is_null())
      return Outcome::failed(text("exec: ", name, " is of git, which names no repository"));
  // Who runs elsewhere wants none, but for a box, which makes it and shows it under that name.
  const auto directory =
      has_place ? context.scratch_path("directory") : context.scratch_directory();
  const auto limit = milliseconds_of(args["timeout"]);
  const auto until = process::now() + limit;
  if (limit.count() > 0) context.end_by(until, limit);
  if (auto laid = lay_files(args["files"], directory, context); !laid)
    return Outcome::failed(text("exec: ", laid.error().message));
  const auto left = limit.count() > 0 ? std::max(milliseconds_until(until), 1ms) : limit;
  const ProcessRunner::Task task{.id = context.task_id(),
                                 .attempt = context.attempt(),
                                 .kind = std::string(kinds::kExec.name),
                                 .args = all->to_msgpack(),
                                 .project = context.project(),
                                 .traceparent = context.traceparent(),
                                 .directory = directory,
                                 .time_limit = left,
                                 .grace = milliseconds_of(args["term_grace"])};
  const auto ended = runner->run(
      {.task = task,
       .cancel_fd = [&] { return context.cancel_fd(); },
       .on_output = [&](bool is_stderr,
                        std::string_view bytes) { (is_stderr ? err : out).add(bytes); },
       .on_progress = [&](std::uint64_t done, std::uint64_t total,
                          const std::string& said) { context.progress(done, total, said); }});
  if (ended.end == End::kTimeLimit) context.end_by(process::now() + kKeptWithin, limit);
  Value value = Value::Map{{"exit_code", ended.value["exit_code"].int_or(-1)}};
  for (const char* name : {"signal", "user_seconds", "system_seconds", "memory_bytes", "commit"})
    if (const auto& told = ended.value[name]; !told.is_null()) value.set(name, told);
  for (const auto& [name, stream] : {std::pair{"stdout", &out}, std::pair{"stderr", &err}}) {
    stream->end();
    stream->kept.tell(name, value);
  }
  auto outcome = outcome_of(ended, limit, std::move(value));
  outcome.cause = cause_of(ended);
  // Its process knows which others it stopped, unless it had to be killed itself.
  outcome.stopped = ended.stopped.is_null() ? ended.value["stopped"] : ended.stopped;
  for (const auto& [name, stream] : {std::pair{"stdout", &out}, std::pair{"stderr", &err}}) {
    if (const auto& problem = stream->kept.problem(); !problem.empty() && outcome.is_done)
      return Outcome::failed(text("exec: its ", name, " could not be kept: ", problem),
                             std::move(outcome.value));
    if (auto file = stream->kept.take_file(name)) outcome.files.push_back(std::move(*file));
  }
  if (outcome.is_lost) return outcome;
  auto outputs = outputs_in(directory, args["outputs"], context);
  outcome.files.insert(outcome.files.end(), outputs.files.begin(), outputs.files.end());
  if (!outcome.is_done || outputs.problem.empty()) return outcome;
  auto failed = Outcome::failed(text("exec: outputs: ", outputs.problem), std::move(outcome.value));
  failed.files = std::move(outcome.files);
  return failed;
}

}  // namespace eole::worker
