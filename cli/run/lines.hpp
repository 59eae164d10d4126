#pragma once
#include <optional>
#include <string>

#include "clients/cpp/blocking/waiting.hpp"

namespace eole::cli {

/// The lines of a file, or of standard input as they come. A line is without its end; what is
/// behind the last one is a line, too.
class LineReader {
 public:
  static constexpr std::size_t kLineBytesMax = 1 << 20;  // What one task's arguments may have.

  /// "-": standard input. Throws Failure if it cannot be read.
  explicit LineReader(std::string path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line if one is there, without waiting for it. Throws Failure.
  std::optional<std::string> next();
  /// No line follows.
  bool is_over() const { return is_over_; }
  /// For who waits: readable once a line may be there. A file on a disk always is.
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

 private:
  bool fill();
  std::string path_;
  int fd_;
  std::string held_;
  std::size_t taken_ = 0;
  std::size_t looked_ = 0;  // No line end lies before it.
  bool is_at_end_ = false;
  bool is_over_ = false;
};

/// Until a line, or the end, may be there.
void wait_for_input(int fd);

}  // namespace eole::cli
