#pragma once
#include <cstdint>

#include "common/base/ids.hpp"
#include "common/base/parts.hpp"
#include "common/base/seq_ranges.hpp"

namespace eole::sink {

/// What a checkpoint of the log says, one record after the other: each is what is known where it
/// stands, so that reading in order is the whole of loading.
enum class Part : std::uint32_t {
  kOrigins = 8,
  kSettled,
  kFailed,
  kDead,
  kCancelled,
  kRuns,
  kFailures,
  kLetters,
  kCounts,
  kProjects,
  kGroups,  // Also said as they change.
  kEnd,  // None: all are saved.
};

using PartRecord = eole::PartRecord<Part>;

/// How far a checkpoint has come: next comes what is at or behind `origin`, and there at or behind
/// `number`.
struct SavePlace {
  Part part = Part::kOrigins;
  std::uint64_t origin = 0;  // Beyond all origins at the end.
  std::uint64_t number = 0;
};

/// Appends ranges at or behind the place, of one origin alone, whose number comes first. `ranges_of`
/// gives those of an entry of `origins`.
template <class Map, class RangesOf>
void save_ranges(const Map& origins, RangesOf&& ranges_of, SavePlace& place, Bytes& out) {
  for (auto origin = origins.lower_bound(static_cast<Origin>(place.origin)); origin != origins.end(); ++origin) {
    const auto& ranges = ranges_of(origin->second).ranges();
    if (origin->first != place.origin) place.number = 0;
    place.origin = origin->first;
    for (auto range = ranges.lower_bound(place.number);
         range != ranges.end() && out.size() < kPartBytesMax; ++range) {
      if (out.empty()) put<std::uint32_t>(out, origin->first);
      put<std::uint64_t>(out, range->first);
      put<std::uint64_t>(out, range->second);
      place.number = range->second + 1;
    }
    if (!out.empty()) return;
  }
}

/// Calls `take(origin, ranges)` with what a record of ranges says; false if it makes no sense.
template <class Take>
bool load_ranges(std::string_view payload, Take&& take) {
  ByteReader reader(payload);
  const auto origin = reader.get<std::uint32_t>();
  SeqRanges ranges;
  if (!reader.ok() || !ranges.decode(reader.rest())) return false;
  take(origin, ranges);
  return true;
}

}  // namespace eole::sink
