#include "sink/core/failures.hpp"

#include "common/base/planted.hpp"

namespace eole::sink {

bool Failures::take(const TaskId& task, const Lease& lease) {
  const auto [known, is_new] = last_.try_emplace(task, lease);
  if (!is_new && known->second >= lease) return false;
  known->second = lease;
  return true;
}

void Failures::forget(Origin origin, Seq first, Seq last) {
  if (last_.empty()) return;
  last_.erase(last_.lower_bound({origin, first}), last_.upper_bound({origin, last}));
}

void Failures::save(SavePlace& place, Bytes& out) const {
  if (planted("checkpoint-forgets-failures")) return;
  for (auto failure = last_.lower_bound({static_cast<Origin>(place.origin), place.number});
       failure != last_.end() && out.size() < kPartBytesMax; ++failure) {
    const auto& [id, lease] = *failure;
    put<std::uint32_t>(out, id.origin);
    put<std::uint64_t>(out, id.seq);
    put<std::uint32_t>(out, lease.start);
    put<std::uint64_t>(out, lease.number);
    place.origin = id.origin;
    place.number = id.seq + 1;
  }
}

bool Failures::load(std::string_view payload) {
  ByteReader reader(payload);
  while (!reader.is_done()) {
    const auto origin = reader.get<std::uint32_t>();
    const auto seq = reader.get<std::uint64_t>();
    const auto start = reader.get<std::uint32_t>();
    last_[{origin, seq}] = {start, reader.get<std::uint64_t>()};
  }
  return reader.ok();
}

}  // namespace eole::sink
