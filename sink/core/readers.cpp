#include "sink/core/readers.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::sink {

void Readers::hear(Origin origin, std::uint64_t read, TimePoint now) {
  auto& reader = readers_[origin];
  reader.read = read;
  reader.heard = now;
}

void Readers::hear_numbers(Origin origin, std::uint64_t read, TimePoint now) {
  hear(origin, read, now);
  readers_[origin].has_said_numbers = true;
}

std::optional<TimePoint> Readers::numbers_heard(Origin origin) const {
  const auto reader = readers_.find(origin);
  if (reader == readers_.end()) return std::nullopt;
  const bool is_known = reader->second.has_said_numbers || planted("question-taken-for-numbers");
  return is_known ? std::optional(reader->second.heard) : std::nullopt;
}

// Of one that was not heard yet nothing is known: it may need all.
Readers::Reader Readers::reader_of(Origin origin) const {
  const auto reader = readers_.find(origin);
  return reader == readers_.end() ? Reader{0, started_} : reader->second;
}

std::uint64_t Readers::needed_from(const Origins& origins, std::uint64_t head,
                                   TimePoint now) const {
  auto needed = head;
  for (const auto origin : origins.unsettled()) {
    const auto reader = reader_of(origin);
    const bool is_gone = now >= reader.heard + kReaderGone && !planted("the-dead-hold-the-log");
    if (!is_gone) needed = std::min(needed, reader.read);
  }
  return planted("unread-log-dropped") ? head : needed;
}

std::vector<Origin> Readers::gone(const Origins& origins, TimePoint now) const {
  auto gone = origins.unsettled();
  std::erase_if(gone, [&](Origin origin) { return now < reader_of(origin).heard + kReaderGone; });
  return gone;
}

}  // namespace eole::sink
