#pragma once
#include <cstdint>
#include <functional>
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
/// to it from their thread while its owner looks and divides. A small one is in memory, and on the
/// disk only if it is left unfinished: a file that is made and removed costs more than its bytes.
class PartFile {
 public:
  /// On the disk. `is_lasting`: a note is written, for the next attempt.
  struct Place {
    std::string path;
    bool is_lasting = false;
  };
  /// `place`: asked once, when it has to be on the disk, by whoever adds to it then. `is_left`: an
  /// earlier attempt left one there, which is gone on with.
  PartFile(std::function<Place()> place, bool is_left);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Empty, or what went wrong with the disk; then nothing more is written.
  std::string problem() const;
  /// Empty: it is in memory.
  std::string path() const;
  /// All of one that is in memory.
  const std::string& bytes() const { return memory_; }
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
    /// Where another one is to begin who fills it, too: so that each gets as much in all, what is
    /// here already included, unless that is much.
    std::uint64_t middle() const;
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
  /// It is whole, and on the disk: nothing behind its end, no note.
  bool finish();
  /// Removes it.
  void drop();
  /// The next bytes from `at` on; empty at its end.
  std::string read(std::uint64_t at);

 private:
  bool fail(std::string_view what);
  bool is_on_disk() const { return fd_ >= 0; }
  void open();
  bool open_anew();
  bool put_on_disk();
  bool start_anew();
  bool set_space_aside();
  bool is_small() const { return version_.total && *version_.total <= kSmallBytes; }
  static constexpr std::uint64_t kSmallBytes = 1 << 20;
  bool note();
  bool is_far_from_note(std::uint64_t begin, std::uint64_t end) const;
  void read_note();
  std::string note_path() const { return path_ + ".version"; }
  std::function<Place()> place_;
  mutable std::mutex mutex_;
  std::string path_;
  bool is_lasting_ = false;
  int fd_ = -1;
  std::string memory_;                                        // As long as it is not on the disk.
  std::map<std::uint64_t, std::uint64_t> stretches_{{0, 0}};  // Begin to end. One is at 0.
  std::map<std::uint64_t, std::uint64_t> noted_;              // … as the last note has it.
  std::uint64_t generation_ = 1;
  bool is_fresh_ = false;  // Made here, and nobody else's.
  bool is_over_ = false;   // Nothing is left of it, or all of it is here.
  Version version_;
  std::string problem_;
};

}  // namespace eole::worker
