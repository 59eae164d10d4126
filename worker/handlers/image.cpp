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

// What cannot be said in the kind's table.
std::string problem_with(const Value& args) {
  const bool has_box = args["width"].int_or(0) > 0 && args["height"].int_or(0) > 0;
  const auto resize = args["resize"].text_or("");
  if (resize != "fit" && !has_box) return text("resize ", resize, " needs width and height");
  if (args["rotate"].int_or(0) % 90 != 0)
    return text("rotate must be 0, 90, 180 or 270, not ", args["rotate"].int_or(0));
  const auto* sizes = args["sizes"].as<Value::Array>();
  if (sizes == nullptr) return {};
  if (resize != "fit" || args["width"].int_or(0) > 0 || args["height"].int_or(0) > 0)
    return "sizes say how large it gets: no width, height or resize beside them";
  for (const auto& size : *sizes)
    if (size.int_or(0) < 1 || size.int_or(0) > picture::kSideMax)
      return text("sizes has ", size.int_or(0), ", allowed is 1 to ", picture::kSideMax);
  return {};
}

std::string fetch_mark(const Value& args, const std::string& directory, TaskContext& context,
                       Value& job) {
  const auto* artifact = args["watermark"].as<std::string>();
  if (artifact == nullptr) return {};
  const auto path = text(directory, "/mark");
  const auto fetched = context.fetch(*artifact, path, picture::kFileBytesMax);
  if (!fetched) return text("its watermark: ", fetched.error().message);
  job.set(picture::kMarkField, path);
  return {};
}

// Called what it is: fetched beside photo.png a JPEG must not take its place. `size`: zero, or
// what tells it from others of the same picture.
std::string output_name(const std::string& name, std::string_view format, std::int64_t size) {
  constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".webp",
                                           ".gif", ".bmp",  ".tif", ".tiff"};
  const auto dot = name.find_last_of('.');
  auto ending = dot == std::string::npos ? "" : name.substr(dot);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool is_one =
      std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
  const auto stem = is_one ? name.substr(0, dot) : name;
  const auto of_size = size > 0 ? text("-", size) : "";
  const bool is_jpeg = ending == ".jpg" || ending == ".jpeg";
  if (format == "jpeg") return text(stem, of_size, is_jpeg ? name.substr(dot) : ".jpg");
  return text(stem, of_size, ".", format);
}

// The program may be in a hostile file's hands: no more of its value than is known.
std::string format_of(const Value& said) {
  const auto format = said[picture::kFormatField].text_or("");
  return format == "png" || format == "webp" ? std::string(format) : "jpeg";
}

bool is_set(const Value& said, const char* field) {
  const auto* value = said[field].as<bool>();
  return value != nullptr && *value;
}

Value about(const Value& made, std::uint64_t bytes) {
  Value value = Value::Map{{"width", made[picture::kWidthField].int_or(0)},
                           {"height", made[picture::kHeightField].int_or(0)}};
  if (const auto quality = made[picture::kQualityField].int_or(0); quality > 0)
    value.set("quality", quality);
  value.set("bytes", bytes);
  return value;
}

// The files and what is told of them.
Expected<Outcome> made_of(const Value& args, const ProcessRunner::Ended& ended,
                          const std::string& name) {
  const auto& said = ended.value;
  const auto* all = said[picture::kMadeField].as<Value::Array>();
  if (all == nullptr || all->size() != ended.files.size())
    return Error{"its decoder made no picture"};
  const auto* sizes = args["sizes"].as<Value::Array>();
  Value::Array abouts;
  std::vector<FileResult> files;
  for (std::size_t i = 0; i < all->size(); ++i) {
    const auto bytes = size_of(ended.files[i]);
    if (!bytes) return bytes.error();
    abouts.push_back(about((*all)[i], *bytes));
    const auto size = sizes != nullptr && i < sizes->size() ? (*sizes)[i].int_or(0) : 0;
    files.push_back({ended.files[i], output_name(name, format_of(said), size)});
  }
  Value value = sizes != nullptr ? Value(Value::Map{{"sizes", std::move(abouts)}}) : abouts[0];
  value.set("format", format_of(said));
  if (is_set(said, picture::kKeptField)) value.set("kept", true);
  if (is_set(said, picture::kFirstField)) value.set("first_of_many", true);
  auto outcome = Outcome::done(std::move(value));
  outcome.files = std::move(files);
  return outcome;
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
      return ended.files.empty() ? "its decoder made no picture" : "";
    case End::kFailed:
      return ended.error;
    case End::kTimeLimit:
      return text("more than ", picture::kWallSecondsMax, " s");
    case End::kCancelled:
      return "cancelled";
    case End::kLost:
    case End::kUnbegun:
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
  return {.path = program,
          .argv = {program},
          .has_environment = false,
          .kinds = {std::string(kinds::kImage.name)},
          .is_kept = false};
}

Outcome run_image(const Value& args, TaskContext& context) {
  if (const auto problem = problem_with(args); !problem.empty())
    return Outcome::failed(text("image: ", problem));
  const auto directory = context.scratch_directory();
  const auto input = input_of(args, directory, context);
  if (!input) return Outcome::failed(input.error().message);
  const auto input_bytes = size_of(input->path);
  if (!input_bytes) return Outcome::failed(text("image: ", input_bytes.error().message));
  Value job = args;
  job.set("data", {});
  job.set(picture::kInputField, input->path);
  if (const auto problem = fetch_mark(args, directory, context, job); !problem.empty())
    return Outcome::failed(text("image: ", problem));
  context.progress(1, 3);

  const auto ended =
      context.runner()->run({.task = {.id = context.task_id(),
                                      .attempt = context.attempt(),
                                      .kind = std::string(kinds::kImage.name),
                                      .args = job.to_msgpack(),
                                      .directory = directory,
                                      .time_limit = std::chrono::seconds(picture::kWallSecondsMax)},
                             .cancel_fd = [&] { return context.cancel_fd(); },
                             .on_output = nullptr});
  if (const auto problem = problem_of(ended); !problem.empty()) {
    auto outcome = Outcome::failed(text("image: ", problem));
    outcome.stopped = ended.stopped;
    return outcome;
  }
  auto outcome = made_of(args, ended, input->name);
  if (!outcome) return Outcome::failed(text("image: ", outcome.error().message));
  context.progress(2, 3);
  outcome->value.set("input_bytes", *input_bytes);
  return std::move(*outcome);
}

}  // namespace eole::worker
