#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "worker/handlers/http_answer.hpp"

namespace eole::worker {

/// The bytes of a file that are here already, and beside them a note of the version that they are
/// of, and where they are: PATH and PATH.version. A process that is killed at any moment leaves a
/// part that can be resumed or one that starts over, never a mixture. The transfers of one file add
/// to it from their thread while its owner looks and divides.
class PartFile {
 public:
  /// Opens or makes it. `is_lasting`: what an earlier attempt left is kept, and a note is written.
  PartFile(std::string path, bool is_lasting);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Empty, or what went wrong with the disk; then nothing more is written.
  std::string problem() const;
  const std::string& path() const { return path_; }
  Version version() const;
  /// Bytes that are here, and those that are without a gap in front of them.
  std::uint64_t have() const;
  std::uint64_t front() const;
  /// What is missing between two stretches that are here; `to` of the last: the whole length, or
  /// UINT64_MAX if it is not known.
  struct Gap {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t after = 0;  // The begin of the stretch in front: who fills the gap is in between.
  };
  std::vector<Gap> gaps() const;
  /// Another one whenever all of it began anew.
  std::uint64_t generation() const;
  /// Where the first gap is to be asked from; zero: all of it.
  std::uint64_t resume_at() const;

  /// What comes next belongs at `from`, which is the begin of a gap or less, and is of `version`.
  bool begin(const Version& version, std::uint64_t from);
  /// Adds what belongs at `at`, the begin of a gap, up to that gap's end: so many bytes of it were
  /// taken, none if the disk fails.
  std::size_t append(std::uint64_t at, std::string_view bytes);
  /// Divides a gap at `at`, inside of it: whoever fills it ends there.
  bool divide(std::uint64_t at);
  /// Forgets all of it; the next byte is the first, of another file under the same path.
  bool start_over();
  /// It is whole: nothing behind its end, no note.
  bool finish();
  /// Removes it.
  void drop();
  /// The next bytes from `at` on; empty at its end.
  std::string read(std::uint64_t at);

 private:
  bool fail(std::string_view what);
  bool start_anew();
  bool set_space_aside();
  bool is_small() const { return version_.total && *version_.total <= kSmallBytes; }
  static constexpr std::uint64_t kSmallBytes = 1 << 20;
  bool note();
  void read_note();
  std::string note_path() const { return path_ + ".version"; }
  std::string path_;
  bool is_lasting_;
  mutable std::mutex mutex_;
  int fd_ = -1;
  std::map<std::uint64_t, std::uint64_t> stretches_{{0, 0}};  // Begin to end. One is at 0.
  std::uint64_t unnoted_bytes_ = 0;                           // Added since the last note.
  std::uint64_t generation_ = 1;
  bool is_fresh_ = false;  // Made here, and nobody else's.
  bool is_over_ = false;   // Nothing is left of it, or all of it is here.
  Version version_;
  std::string problem_;
};

}  // namespace eole::worker
