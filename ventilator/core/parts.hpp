#pragma once
#include <cstdint>

#include "common/base/parts.hpp"

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
  kWishes,
  kProjects,
  kEnd,  // None: all are saved.
};

using PartRecord = eole::PartRecord<Part>;

/// How far a snapshot has come: next comes what is at or behind `number`, and there at or behind
/// `within`.
struct SavePlace {
  Part part = Part::kSettled;
  std::uint64_t number = 0;
  std::uint64_t within = 0;
};

}  // namespace eole::ventilator
