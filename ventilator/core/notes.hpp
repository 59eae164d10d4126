#pragma once
#include <cstdint>
#include <map>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"

namespace eole::ventilator {

/// The last note of tasks that follow one another, seq, seq + 1 … under lease, lease + 1 …: who
/// had them, in which attempt. Attempt zero: given back before the first one began.
struct Note {
  RunId run = 0;
  Lease lease;
  std::uint16_t attempt = 0;
  std::uint32_t count = 1;
  bool operator==(const Note&) const = default;
};

/// Notes by task, kept as runs.
class Notes {
 public:
  /// In place of whatever these tasks had.
  void put(Seq first, const Note& note);
  void erase(Seq first, Seq last);
  const std::map<Seq, Note>& runs() const { return runs_; }
  bool operator==(const Notes&) const = default;

 private:
  void split(Seq at);
  std::map<Seq, Note> runs_;  // first -> the first one's note, and how many follow
};

/// Appends an entry of a record of notes.
void put_note(Bytes& out, Seq first, const Note& note);
constexpr std::size_t kNoteBytes = 8 + 4 + 8 + 4 + 8 + 2;
/// Takes in such a record; false if it makes no sense.
bool load_notes(std::string_view payload, Notes& out);

}  // namespace eole::ventilator
