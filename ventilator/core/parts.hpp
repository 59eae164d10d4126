#pragma once
#include <cstdint>
#include <optional>

#include "common/base/bytes.hpp"

namespace eole::ventilator {

/// The types of the records that the parts of Durable keep in the journal. What is written as
/// something changes and what a snapshot repeats are the same records, so that the order of
/// reading is the whole of loading.
enum class Part : std::uint32_t {
  kSettled = 8,
  kNotes,
  kCancelled,
  kLost,
  kRequests,
  kKeys,
  kEnd,  // None: all are saved.
};

/// A record of a part is never larger: no one turn of the loop is long because of it.
constexpr std::size_t kPartBytesMax = 64 << 10;

struct PartRecord {
  Part part = Part::kEnd;
  Bytes payload;
  bool operator==(const PartRecord&) const = default;
};

/// How far a snapshot has come: next comes what is at or behind `number`, and there at or behind
/// `within`. It is taken while what it describes changes: each change is a record behind it.
struct SavePlace {
  Part part = Part::kSettled;
  std::uint64_t number = 0;
  std::uint64_t within = 0;
};

/// The next record of a snapshot; nothing: that was all. `save(place, out)` appends what is left
/// of place.part, as much as a record takes, and moves the place on; nothing if nothing is left.
template <class Save>
std::optional<PartRecord> save_next(SavePlace& place, Save&& save) {
  while (place.part != Part::kEnd) {
    PartRecord record{place.part, {}};
    save(place, record.payload);
    if (!record.payload.empty()) return record;
    place = {static_cast<Part>(static_cast<std::uint32_t>(place.part) + 1)};
  }
  return std::nullopt;
}

}  // namespace eole::ventilator
