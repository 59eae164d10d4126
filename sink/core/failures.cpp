#include "sink/core/failures.hpp"

#include "common/base/planted.hpp"

namespace eole::sink {

bool Failures::take(const TaskId& task, const Lease& lease) {
  const auto first = failed_.lower_bound({task, {}});
  auto end = first;
  std::size_t count = 0;
  for (; end != failed_.end() && end->first == task; ++end) ++count;
  const bool is_full = count == kFailedLeasesMax && !planted("failures-without-a-bound");
  if (is_full && lease < first->second) return false;
  if (!failed_.insert({task, lease}).second) return false;
  if (is_full) failed_.erase(first);
  return true;
}

bool Failures::has(const TaskId& task) const {
  const auto found = failed_.lower_bound({task, {}});
  return found != failed_.end() && found->first == task;
}

void Failures::forget(Origin origin, Seq first, Seq last) {
  if (failed_.empty()) return;
  constexpr Lease kLastLease{UINT32_MAX, UINT64_MAX};
  failed_.erase(failed_.lower_bound({{origin, first}, {}}),
                failed_.upper_bound({{origin, last}, kLastLease}));
}

// The failures of one task stand in one record.
void Failures::save(SavePlace& place, Bytes& out) const {
  if (planted("checkpoint-forgets-failures")) return;
  TaskId saved;
  for (auto failure =
           failed_.lower_bound({{static_cast<Origin>(place.origin), place.number}, {}});
       failure != failed_.end() && (out.size() < kPartBytesMax || failure->first == saved);
       ++failure) {
    const auto& [id, lease] = *failure;
    put<std::uint32_t>(out, id.origin);
    put<std::uint64_t>(out, id.seq);
    put<std::uint32_t>(out, lease.start);
    put<std::uint64_t>(out, lease.number);
    place.origin = id.origin;
    place.number = id.seq + 1;
    saved = id;
  }
}

bool Failures::load(std::string_view payload) {
  ByteReader reader(payload);
  while (!reader.is_done()) {
    const auto origin = reader.get<std::uint32_t>();
    const auto seq = reader.get<std::uint64_t>();
    const auto start = reader.get<std::uint32_t>();
    take({origin, seq}, {start, reader.get<std::uint64_t>()});
  }
  return reader.ok();
}

}  // namespace eole::sink
