#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "worker/handlers/http_answer.hpp"

namespace eole::worker {

/// The bytes of a file that are here already, and beside them a note of the version that they are
/// of: PATH and PATH.version. A process that is killed at any moment leaves a part that can be
/// resumed or one that starts over, never a mixture.
class PartFile {
 public:
  /// Opens or makes it. `is_lasting`: what an earlier attempt left is kept, and a note is written.
  PartFile(std::string path, bool is_lasting);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Empty, or what went wrong with the disk; then nothing more is written.
  const std::string& problem() const { return problem_; }
  const std::string& path() const { return path_; }
  const Version& version() const { return version_; }
  std::uint64_t have() const { return have_; }
  /// Where the rest is to be asked from; zero: all of it.
  std::uint64_t resume_at() const;

  /// What comes next belongs at `from`, which is have() or less, and is of `version`.
  bool begin(const Version& version, std::uint64_t from);
  bool append(std::string_view bytes);
  /// Forgets all of it; the next byte is the first.
  bool start_over();
  /// It is whole: nothing behind its end, no note.
  bool finish();
  /// Removes it.
  void drop();
  /// The next bytes from `at` on; empty at its end.
  std::string read(std::uint64_t at);

 private:
  bool fail(std::string_view what);
  bool note();
  void read_note();
  std::string note_path() const { return path_ + ".version"; }
  std::string path_;
  bool is_lasting_;
  int fd_ = -1;
  std::uint64_t have_ = 0;
  Version version_;
  std::string problem_;
};

}  // namespace eole::worker
