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
      return save_failures(place, out);
    case Part::kLetters:
      return letters_.save(place, out);
    case Part::kCounts:
      if (place.number++ > 0 || planted("checkpoint-forgets-counts")) return;
      for (const auto count : counts_) put<std::uint64_t>(out, count);
      return;
    case Part::kProjects:
      return projects_.save(place, out);
    case Part::kEnd:
      return;
  }
}

void Settler::save_failures(SavePlace& place, Bytes& out) const {
  if (planted("checkpoint-forgets-failures")) return;
  for (auto failure = failed_.lower_bound({static_cast<Origin>(place.origin), place.number});
       failure != failed_.end() && out.size() < kPartBytesMax; ++failure) {
    const auto& [id, lease] = *failure;
    put<std::uint32_t>(out, id.origin);
    put<std::uint64_t>(out, id.seq);
    put<std::uint32_t>(out, lease.start);
    put<std::uint64_t>(out, lease.number);
    place.origin = id.origin;
    place.number = id.seq + 1;
  }
}

bool Settler::load_failures(std::string_view payload) {
  ByteReader reader(payload);
  while (!reader.is_done()) {
    const auto origin = reader.get<std::uint32_t>();
    const auto seq = reader.get<std::uint64_t>();
    const auto start = reader.get<std::uint32_t>();
    failed_[{origin, seq}] = {start, reader.get<std::uint64_t>()};
  }
  return reader.ok();
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
      return load_failures(payload);
    case Part::kLetters:
      return letters_.load(payload);
    case Part::kCounts: {
      ByteReader reader(payload);
      for (auto& count : counts_) count = reader.get<std::uint64_t>();
      return reader.ok();
    }
    case Part::kProjects:
      return projects_.load(payload);
    case Part::kEnd:
      break;
  }
  return false;
}

}  // namespace eole::sink
