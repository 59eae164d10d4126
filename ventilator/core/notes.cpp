#include "ventilator/core/notes.hpp"

#include "common/base/planted.hpp"
#include "common/protocol/records.hpp"

namespace eole::ventilator {

// A run that reaches over `at` ends before it, and another begins there.
void Notes::split(Seq at) {
  const auto after = runs_.lower_bound(at);
  if (after == runs_.begin() || planted("notes-not-split")) return;
  auto& [first, run] = *std::prev(after);
  if (first + run.count <= at) return;
  auto second = run;
  const auto before = static_cast<std::uint32_t>(at - first);
  second.count -= before;
  second.lease.number += before;
  run.count = before;
  runs_.emplace_hint(after, at, second);
}

void Notes::erase(Seq first, Seq last) {
  split(first);
  if (last != UINT64_MAX) split(last + 1);
  runs_.erase(runs_.lower_bound(first), runs_.upper_bound(last));
}

void Notes::put(Seq first, const Note& note) {
  erase(first, first + note.count - 1);
  if (note.attempt > 0) runs_[first] = note;
}

void put_note(Bytes& out, Seq first, const Note& note) {
  put<std::uint64_t>(out, first);
  put<std::uint32_t>(out, note.count);
  put<std::uint64_t>(out, note.run);
  put<std::uint32_t>(out, note.lease.start);
  put<std::uint64_t>(out, note.lease.number);
  put<std::uint16_t>(out, note.attempt);
}

bool load_notes(std::string_view payload, Notes& out) {
  ByteReader reader(payload);
  while (reader.ok() && !reader.is_done()) {
    const auto first = reader.get<std::uint64_t>();
    Note note;
    note.count = reader.get<std::uint32_t>();
    note.run = reader.get<std::uint64_t>();
    note.lease.start = reader.get<std::uint32_t>();
    note.lease.number = reader.get<std::uint64_t>();
    note.attempt = reader.get<std::uint16_t>();
    if (!reader.ok() || first == 0 || first > UINT64_MAX / 2) return false;
    if (note.count == 0 || note.count > protocol::kTasksPerMessageMax) return false;
    out.put(first, note);
  }
  return reader.ok();
}

}  // namespace eole::ventilator
