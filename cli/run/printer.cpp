#include "cli/run/printer.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/base/text.hpp"

namespace eole::cli {

/// Puts a tag in front of each line of what comes in pieces.
class Printer::Lines {
 public:
  Lines(std::FILE* to, const std::string& tag) : to_(to), tag_(tag) {}
  void add(std::string_view bytes) {
    if (tag_.empty()) return put(bytes);
    while (!bytes.empty()) {
      if (is_begin_) put(tag_);
      const auto end = bytes.find('\n');
      is_begin_ = end != std::string_view::npos;
      const auto line = bytes.substr(0, is_begin_ ? end + 1 : bytes.size());
      put(line);
      bytes.remove_prefix(line.size());
    }
  }

 private:
  void put(std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), to_); }
  std::FILE* to_;
  const std::string& tag_;
  bool is_begin_ = true;
};

Printer::Printer(Cluster& cluster, std::optional<Template> files, bool is_tagged)
    : artifacts_(cluster.context, cluster.file), files_(std::move(files)), is_tagged_(is_tagged) {}

void Printer::copy(const JobOutcome::Stream& stream, std::FILE* to, const std::string& tag) {
  Lines lines(to, tag);
  if (stream.sha256.empty()) return lines.add(stream.bytes);
  need(artifacts_.get_to(stream.sha256,
                         [&](std::string_view bytes) {
                           lines.add(bytes);
                           return std::ferror(to) == 0;
                         }),
       kNotDone);
}

void Printer::print(const JobInputs& inputs, const JobOutcome& outcome) {
  const auto tag = is_tagged_ ? joined(inputs) + "\t" : std::string();
  if (files_) {
    const auto path = files_->plain(inputs);
    std::error_code ignored;  // What is wrong shows when the file is made.
    if (const auto parent = std::filesystem::path(path).parent_path(); !parent.empty())
      std::filesystem::create_directories(parent, ignored);
    std::FILE* file = std::fopen(path.c_str(), "wbe");
    if (file != nullptr) copy(outcome.output, file, {});
    const bool is_bad = file == nullptr || std::ferror(file) != 0;
    if ((file != nullptr && std::fclose(file) != 0) || is_bad)
      throw Failure{kNotDone, text(shown(path), ": cannot be written: ", std::strerror(errno))};
  } else {
    copy(outcome.output, stdout, tag);
  }
  if (outcome.errors.size > 0) {
    std::fflush(stdout);
    copy(outcome.errors, stderr, tag);
  }
  if (!outcome.error.empty()) {
    std::fflush(stdout);
    std::fprintf(stderr, "eole: job %llu: %s\n", static_cast<unsigned long long>(inputs.number),
                 shown(outcome.error).c_str());
  }
}

}  // namespace eole::cli
