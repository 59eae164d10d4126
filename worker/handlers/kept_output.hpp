#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "worker/handlers/handler.hpp"

namespace eole::worker {

/// One stream of a command's output: what is short is told whole; of what is long, the begin and
/// the end, and a file holds it up to a limit. Memory is bounded whatever is added.
class KeptOutput {
 public:
  static constexpr std::size_t kInlineMax = 128 << 10;  // Both streams fit an inline result.

  /// `suffix`: of the file's scratch path, if there is one; `most`: its bytes, and those that are
  /// told.
  KeptOutput(TaskContext& context, std::string_view suffix, std::uint64_t most)
      : context_(context), suffix_(suffix), most_(most) {}
  ~KeptOutput();
  KeptOutput(const KeptOutput&) = delete;
  KeptOutput& operator=(const KeptOutput&) = delete;

  void add(std::string_view bytes);
  /// Sets `name` in a result's value: text, or bytes if it is none; and what was left out.
  void tell(const std::string& name, Value& value) const;
  /// Closes the file, if there is one.
  std::optional<FileResult> take_file(std::string name);
  /// Why it could not be kept; empty if it was.
  const std::string& problem() const { return problem_; }

 private:
  void write(std::string_view bytes);
  std::size_t inline_max() const { return std::min<std::uint64_t>(kInlineMax, most_); }

  TaskContext& context_;
  std::string_view suffix_;
  std::string path_;  // Once there is a file.
  std::uint64_t most_;
  std::uint64_t size_ = 0;
  std::string head_;  // All of it while it is short.
  std::string tail_;
  int file_ = -1;
  std::uint64_t written_ = 0;
  std::string problem_;
};

}  // namespace eole::worker
