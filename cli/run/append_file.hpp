#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace eole::cli {

/// A file that grows by whole lines, held by one process at a time. Throws Failure.
class AppendFile {
 public:
  explicit AppendFile(std::string path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// What lies behind so many bytes goes.
  void cut(std::uint64_t bytes);
  void append(std::string_view lines);
  /// Behind what was appended last.
  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  [[noreturn]] void fail() const;
  std::string path_;
  int fd_;
  std::uint64_t size_ = 0;
};

}  // namespace eole::cli
