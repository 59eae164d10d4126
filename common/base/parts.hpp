#pragma once
#include <cstdint>
#include <optional>

#include "common/base/bytes.hpp"

/// How what is known is saved: in records of its parts, which follow one another, some in each turn
/// of the loop. What it describes changes meanwhile: each change is a record behind it.
namespace eole {

/// A record of a part is never larger by more than one entry: no turn of the loop is long for it.
constexpr std::size_t kPartBytesMax = 64 << 10;

/// `Part` lists the types of the records; its last one, kEnd, is none.
template <class Part>
struct PartRecord {
  Part part = Part::kEnd;
  Bytes payload;
  bool operator==(const PartRecord&) const = default;
};

/// The next record; nothing: that was all. `save(place, out)` appends what is left of place.part,
/// as much as a record takes, and moves the place on within it; nothing if nothing is left.
template <class Place, class Save>
auto save_next(Place& place, Save&& save) -> std::optional<PartRecord<decltype(place.part)>> {
  using Part = decltype(place.part);
  while (place.part != Part::kEnd) {
    PartRecord<Part> record{place.part, {}};
    save(place, record.payload);
    if (!record.payload.empty()) return record;
    place = {static_cast<Part>(static_cast<std::uint32_t>(place.part) + 1)};
  }
  return std::nullopt;
}

}  // namespace eole
