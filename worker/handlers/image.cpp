#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "common/base/text.hpp"
#include "common/kinds/download.hpp"
#include "common/kinds/kinds.hpp"
#include "worker/handlers/kinds.hpp"
#include "worker/handlers/picture_program.hpp"
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

Expected<FileResult> input_of(const Value& args, TaskContext& context) {
  FileResult input{context.scratch_path("input"), args["name"].text_or("image")};
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
  auto outcome = run_download(*download, context);
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

}  // namespace

Outcome run_image(const Value& args, TaskContext& context) {
  const auto quality = args["quality"].int_or(0);
  const auto input = input_of(args, context);
  if (!input) return Outcome::failed(input.error().message);
  const auto input_bytes = size_of(input->path);
  if (!input_bytes) return Outcome::failed(text("image: ", input_bytes.error().message));
  context.progress(1, 3);

  const PictureJob job{input->path, context.scratch_path("jpg"), quality, args["width"].int_or(0),
                       args["height"].int_or(0)};
  const auto picture = run_picture_program(job, context.processes(), context.cancel_fd());
  if (!picture) return Outcome::failed(text("image: ", picture.error().message));
  auto bytes = size_of(job.output);
  if (!bytes) return Outcome::failed(text("image: ", bytes.error().message));
  context.progress(2, 3);

  Value value = Value::Map{{"width", picture->width}, {"height", picture->height}};
  auto path = job.output;
  if (picture->is_plain && *bytes >= *input_bytes) {  // Nothing was gained: the input is better.
    path = input->path;
    bytes = input_bytes;
    value.set("kept", true);
  } else {
    value.set("quality", quality);
  }
  value.set("input_bytes", *input_bytes);
  value.set("bytes", *bytes);
  auto outcome = Outcome::done(std::move(value));
  outcome.files.push_back({path, output_name(input->name)});
  return outcome;
}

}  // namespace eole::worker
