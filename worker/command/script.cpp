#include "worker/command/script.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"
#include "worker/command/run.hpp"
#include "worker/command/serve.hpp"

namespace eole::command {

using protocol::Value;

namespace {

// Waits for it; false once the worker is gone. What else comes meanwhile has no meaning yet: a
// cancel is noticed by who waits for the end.
bool fetch(frames::WorkerSocket& worker, std::uint64_t number, const std::string& sha256,
           std::string& problem) {
  const std::string name(kArtifact);
  if (!worker.send(frames::Fetch{number, sha256, name})) return false;
  while (true) {
    const auto frame = worker.next();
    if (!frame || (!*frame && !worker.receive())) return false;
    if (!*frame) continue;
    const auto* fetched = std::get_if<frames::Fetched>(&**frame);
    if (fetched == nullptr) continue;
    problem = fetched->error;
    return true;
  }
}

Expected<Command> prepare(const frames::Run& run, const std::vector<std::string>& argv) {
  if (::mkdir(run.directory.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{text("no directory ", run.directory, ": ", std::strerror(errno))};
  return script_of(run, argv);
}

// False once the worker is gone.
bool run_script(frames::WorkerSocket& worker, const Surroundings& around, const frames::Run& run,
                const std::vector<std::string>& argv) {
  auto command = prepare(run, argv);
  std::string problem = command ? "" : command.error().message;
  const auto args = Value::from_msgpack(run.args);
  if (command && args)
    if (const auto* sha256 = (*args)[kArtifact].as<std::string>())
      if (!fetch(worker, run.number, *sha256, problem)) return false;
  if (!problem.empty()) return worker.send(frames::Failed{run.number, problem, {}});
  return CommandRun(worker, around, run.number, std::move(*command)).serve();
}

}  // namespace

frames::Frame end_of_script(std::uint64_t number, std::string_view printed,
                            const std::string& directory) {
  if (printed.size() > protocol::kInlineBytesMax)
    return frames::Failed{
        number, text("it printed more than ", protocol::kInlineBytesMax, " bytes of value"), {}};
  frames::Done done{number, {}, {}};
  while (printed.ends_with('\n')) printed.remove_suffix(1);
  if (!printed.empty()) {
    const auto json = Value::from_json(printed);
    const auto value = json               ? *json
                       : is_utf8(printed) ? Value(std::string(printed))
                                          : Value(protocol::Blob{std::string(printed)});
    done.value = value.to_msgpack();
  }
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(directory, ignored), end; at != end;
       at.increment(ignored)) {
    const auto name = at->path().filename().string();
    if (at->symlink_status(ignored).type() == std::filesystem::file_type::regular &&
        name != kArtifact)
      done.files.push_back(name);
  }
  if (done.files.size() > frames::kFilesMax)
    return frames::Failed{
        number, text("it left ", done.files.size(), " files, limit ", frames::kFilesMax), {}};
  std::sort(done.files.begin(), done.files.end());
  return done;
}

void serve_script(const std::string& kind, std::vector<std::string> argv) {
  serve(kind, [&](frames::WorkerSocket& worker, const Surroundings& around,
                  const frames::Run& run) { return run_script(worker, around, run, argv); });
}

}  // namespace eole::command
