#include "common/kinds/image.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

#include "common/base/text.hpp"
#include "common/kinds/download.hpp"
#include "common/kinds/kinds.hpp"
#include "worker/handlers/kinds.hpp"
#include "worker/picture/job.hpp"
#include "worker/picture/limits.hpp"

namespace eole::worker {

namespace {

Expected<std::uint64_t> size_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Error{"the input is not there"};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > picture::kFileBytesMax)
    return Error{text("input of ", size, " bytes, limit ", picture::kFileBytesMax)};
  return size;
}

Expected<FileResult> input_of(const Value& args, const std::string& directory,
                              TaskContext& context) {
  FileResult input{text(directory, "/input"), args["name"].text_or("image")};
  if (const auto& data = args["data"]; !data.is_null()) {
    const auto* blob = data.as<protocol::Blob>();
    std::ofstream file(input.path, std::ios::binary | std::ios::trunc);
    file << (blob != nullptr ? blob->bytes : data.text_or(""));
    file.close();
    if (!file) return Error{text("image: cannot write ", input.path)};
    return input;
  }
  if (const auto* artifact = args["artifact"].as<std::string>()) {
    const auto fetched = context.fetch(*artifact, input.path, picture::kFileBytesMax);
    if (!fetched) return Error{text("image: ", fetched.error().message)};
    return input;
  }
  const auto download =
      kinds::conform(kinds::kDownload,
                     Value::Map{{"url", args["url"]},
                                {"size_max", static_cast<std::int64_t>(picture::kFileBytesMax)}});
  if (!download) return Error{download.error().message};
  auto outcome = fetch_input(*download, context);
  if (!outcome.is_done) return Error{outcome.error};
  if (args["name"].as<std::string>() != nullptr) outcome.files[0].name = input.name;
  return outcome.files[0];
}

// A JPEG is called one: fetched beside photo.png it must not take its place.
std::string output_name(const std::string& name) {
  const auto dot = name.find_last_of('.');
  auto ending = dot == std::string::npos ? "" : name.substr(dot);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".jpg" || ending == ".jpeg") return name;
  return (ending == ".png" ? name.substr(0, dot) : name) + ".jpg";
}

std::string why_killed(int signal) {
  switch (signal) {
    case SIGXCPU:
      return text("more than ", picture::kCpuSecondsMax, " s of processor time");
    case SIGXFSZ:
      return text("a result of more than ", picture::kFileBytesMax, " bytes");
    case SIGKILL:
      return "its decoder was killed: is there too little memory?";
    default:
      return text("its decoder crashed (signal ", signal, "): the file is damaged or hostile");
  }
}

// Why there is no picture; empty: there is one.
std::string problem_of(const ProcessRunner::Ended& ended) {
  using End = ProcessRunner::End;
  switch (ended.end) {
    case End::kDone:
      return ended.files.size() == 1 ? "" : "its decoder made no picture";
    case End::kFailed:
      return ended.error;
    case End::kTimeLimit:
      return text("more than ", picture::kWallSecondsMax, " s");
    case End::kCancelled:
      return "cancelled";
    case End::kLost:
      return text(ended.signal != 0 ? why_killed(ended.signal) : text("its decoder ", ended.error),
                  ended.words);
  }
  return {};
}

}  // namespace

ProcessRunner::Program picture_program() {
  std::array<char, 4096> path;
  const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string self(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto program = self.substr(0, self.find_last_of('/') + 1) + "eole-picture";
  return {.path = program, .argv = {program}, .has_environment = false, .is_kept = false};
}

Outcome run_image(const Value& args, TaskContext& context) {
  const auto directory = context.scratch_directory();
  const auto input = input_of(args, directory, context);
  if (!input) return Outcome::failed(input.error().message);
  const auto input_bytes = size_of(input->path);
  if (!input_bytes) return Outcome::failed(text("image: ", input_bytes.error().message));
  context.progress(1, 3);

  const Value job = Value::Map{{picture::kInputField, input->path},
                               {picture::kQualityField, args["quality"]},
                               {picture::kWidthField, args["width"]},
                               {picture::kHeightField, args["height"]}};
  const auto ended =
      context.runner()->run({.id = context.task_id(),
                             .attempt = context.attempt(),
                             .kind = kinds::kImage.name,
                             .args = job,
                             .directory = directory,
                             .time_limit = std::chrono::seconds(picture::kWallSecondsMax)},
                            context.cancel_fd(), nullptr);
  if (const auto problem = problem_of(ended); !problem.empty()) {
    auto outcome = Outcome::failed(text("image: ", problem));
    outcome.stopped = ended.stopped;
    return outcome;
  }
  auto path = ended.files[0];
  auto bytes = size_of(path);
  if (!bytes) return Outcome::failed(text("image: ", bytes.error().message));
  context.progress(2, 3);

  // The program may be in a hostile file's hands: no more of its value than is known.
  Value value = Value::Map{{"width", ended.value[picture::kWidthField].int_or(0)},
                           {"height", ended.value[picture::kHeightField].int_or(0)}};
  const auto* is_plain = ended.value[picture::kPlainField].as<bool>();
  if (is_plain != nullptr && *is_plain && *bytes >= *input_bytes) {
    path = input->path;  // Nothing was gained: the input is better.
    bytes = input_bytes;
    value.set("kept", true);
  } else {
    value.set("quality", args["quality"]);
  }
  value.set("input_bytes", *input_bytes);
  value.set("bytes", *bytes);
  auto outcome = Outcome::done(std::move(value));
  outcome.files.push_back({path, output_name(input->name)});
  return outcome;
}

}  // namespace eole::worker
