#include "worker/picture/job.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/base/text.hpp"
#include "common/kinds/image.hpp"
#include "common/protocol/value.hpp"
#include "worker/picture/report.hpp"
#include "worker/runners/frames/worker_socket.hpp"

namespace eole::picture {

namespace {

using protocol::Value;

frames::Run take_run() {
  frames::WorkerSocket worker;
  if (!worker.introduce(kinds::kImage.name)) ::_exit(1);
  while (true) {
    auto frame = worker.next();
    if (!frame || (!*frame && !worker.receive())) ::_exit(1);
    if (!*frame) continue;
    if (auto* run = std::get_if<frames::Run>(&**frame)) return std::move(*run);
  }
}

int open_file(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) fail(text("its files cannot be opened: ", std::strerror(errno)));
  return fd;
}

bool has(const Value& list, std::string_view word) {
  const auto* items = list.as<Value::Array>();
  return items != nullptr && std::any_of(items->begin(), items->end(), [&](const Value& item) {
           return item.text_or("") == word;
         });
}

std::optional<Colour> colour_of(const Value& written) {
  const auto* hex = written.as<std::string>();
  unsigned value = 0;
  if (hex == nullptr) return {};
  const auto digits = std::string_view(*hex).substr(hex->starts_with('#') ? 1 : 0);
  const auto end = digits.data() + digits.size();
  if (digits.size() != 6 || std::from_chars(digits.data(), end, value, 16).ptr != end)
    fail(text("background must be RRGGBB, six hexadecimal digits, not ", *hex));
  return Colour{static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8 & 255),
                static_cast<std::uint8_t>(value & 255)};
}

std::optional<Format> format_of_name(std::string_view name) {
  if (name == "keep") return {};
  return name == "png" ? Format::kPng : name == "webp" ? Format::kWebp : Format::kJpeg;
}

int rotation_of(std::int64_t degrees) {
  return degrees == 90 ? 6 : degrees == 180 ? 3 : degrees == 270 ? 8 : 1;
}

std::vector<int> sizes_of(const Value& list) {
  std::vector<int> sizes;
  if (const auto* items = list.as<Value::Array>())
    for (const auto& item : *items) sizes.push_back(static_cast<int>(item.int_or(0)));
  return sizes;
}

}  // namespace

std::string output_name(std::size_t index) { return text("picture-", index + 1); }

Job take_job() {
  const auto run = take_run();
  const auto args = Value::from_msgpack(run.args);
  if (!args) fail(args.error().message);
  const auto number = [&](const char* name) { return static_cast<int>((*args)[name].int_or(0)); };
  const auto real = [&](const char* name) {
    const auto* value = (*args)[name].as<double>();
    return value != nullptr ? *value : 0.0;
  };
  const auto is_set = [&](const char* name, bool otherwise) {
    const auto* value = (*args)[name].as<bool>();
    return value != nullptr ? *value : otherwise;
  };
  const auto word = [&](const char* name) { return std::string((*args)[name].text_or("")); };

  Job job;
  job.format = format_of_name(word(kFormatField));
  job.quality = number(kQualityField);
  job.size_max = static_cast<std::uint64_t>((*args)["size_max"].int_or(0));
  job.is_progressive = is_set("progressive", false);
  job.is_optimised = is_set("optimise", true);
  const auto chroma = word("chroma");
  job.chroma = chroma == "444" ? Chroma{1, 1} : chroma == "422" ? Chroma{2, 1} : Chroma{2, 2};
  job.box = {number(kWidthField), number(kHeightField)};
  const auto resize = word("resize");
  job.resize = resize == "fill" ? Resize::kFill : resize == "crop" ? Resize::kCrop : Resize::kFit;
  job.sizes = sizes_of((*args)["sizes"]);
  job.rotation = rotation_of((*args)["rotate"].int_or(0));
  job.is_grey = is_set("grayscale", false);
  job.blur = real("blur");
  job.sharpen = real("sharpen");
  job.background = colour_of((*args)["background"]);
  job.keeps_exif = has((*args)["keep"], "exif");
  job.keeps_icc = has((*args)["keep"], "icc");
  job.keeps_xmp = has((*args)["keep"], "xmp");
  job.input = open_file(word(kInputField), O_RDONLY);
  if (const auto mark = word(kMarkField); !mark.empty()) job.mark = open_file(mark, O_RDONLY);
  for (std::size_t i = 0; i < std::max<std::size_t>(1, job.sizes.size()); ++i)
    job.outputs.push_back(
        open_file(text(run.directory, "/", output_name(i)), O_WRONLY | O_CREAT | O_EXCL));
  return job;
}

}  // namespace eole::picture
