#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/run/combination.hpp"
#include "cli/run/lines.hpp"

namespace eole::cli {

/// Where texts come from: the lines of a file, or a list that is known.
struct InputSource {
  std::variant<std::string, TextList> from;  // A path, or the list.
  bool is_linked = false;                    // To the one before.
};

/// The inputs of the jobs, one after another: the first source is read as they are wanted, the
/// others at once. Throws Failure.
class Feed {
 public:
  static constexpr std::uint64_t kReadAtOnceBytesMax = 256 << 20;  // Of a source but the first.

  explicit Feed(std::vector<InputSource> sources);
  /// The next job; nothing if there is none now: is_over(), or wait until fd() is readable.
  std::optional<JobInputs> next();
  bool is_over() const { return is_over_; }
  int fd() const { return lines_ ? lines_->fd() : -1; }
  std::size_t sources() const { return sources_; }
  /// How many jobs there are in all, if that is known.
  std::optional<std::uint64_t> total() const { return total_; }

 private:
  std::size_t sources_;
  std::unique_ptr<LineReader> lines_;
  std::optional<TextList> list_;
  std::uint64_t place_ = 0;  // In the list.
  std::optional<Combination> jobs_;
  std::optional<std::uint64_t> total_;
  bool is_over_ = false;
};

}  // namespace eole::cli
