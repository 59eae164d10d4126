#include "common/base/planted.hpp"
#include "sink/core/settler.hpp"

// What the settler knows, in records of a checkpoint, and back from them.
namespace eole::sink {

std::optional<PartRecord> Settler::save(SavePlace& place) const {
  return save_next(place, [this](SavePlace& at, Bytes& out) { save(at, out); });
}

void Settler::save(SavePlace& place, Bytes& out) const {
  switch (place.part) {
    case Part::kOrigins:
    case Part::kSettled:
    case Part::kFailed:
    case Part::kDead:
    case Part::kCancelled:
      return origins_.save(place, out);
    case Part::kRuns:
      return runs_.save(place, out);
    case Part::kFailures:
      return failures_.save(place, out);
    case Part::kLetters:
      return letters_.save(place, out);
    case Part::kCounts:
      if (place.number++ > 0 || planted("checkpoint-forgets-counts")) return;
      for (const auto count : counts_) put<std::uint64_t>(out, count);
      return;
    case Part::kProjects:
      return projects_.save(place, out);
    case Part::kGroups:
      return groups_.save(place, out);
    case Part::kEnd:
      return;
  }
}

bool Settler::load_part(Part part, std::string_view payload) {
  switch (part) {
    case Part::kOrigins:
    case Part::kSettled:
    case Part::kFailed:
    case Part::kDead:
    case Part::kCancelled:
      return origins_.load(part, payload);
    case Part::kRuns:
      return runs_.load(payload);
    case Part::kFailures:
      return failures_.load(payload);
    case Part::kLetters:
      return letters_.load(payload);
    case Part::kCounts: {
      ByteReader reader(payload);
      for (auto& count : counts_) count = reader.get<std::uint64_t>();
      return reader.ok();
    }
    case Part::kProjects:
      return projects_.load(payload);
    case Part::kGroups:
      return groups_.load(payload);
    case Part::kEnd:
      break;
  }
  return false;
}

}  // namespace eole::sink
