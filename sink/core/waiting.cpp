#include "sink/core/waiting.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"

namespace eole::sink {

std::size_t Waiting::bytes_of(const Entry& entry) {
  const auto& event = entry.event;
  return sizeof(Entry) + event.results.payload.size() + event.missing.size() * 64;
}

bool Waiting::has(const protocol::Results& results) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    const auto& kept = entry.event.results;
    return kept.run == results.run && kept.origin == results.origin && kept.first == results.first;
  });
}

void Waiting::keep(const ResultsReceived& event, const TaskId& until) {
  if (has(event.results)) return;
  entries_.push_back({event, until.seq});
  bytes_ += bytes_of(entries_.back());
  while (bytes_ > kWaitingBytesMax && !planted("results-wait-without-limit")) {
    bytes_ -= bytes_of(entries_.front());
    entries_.pop_front();
  }
}

bool Waiting::keep_behind(const ResultsReceived& event) {
  const auto& results = event.results;
  const auto before = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) {
    const auto& kept = entry.event.results;
    return kept.run == results.run && kept.origin == results.origin &&
           kept.first + kept.count == results.first && entry.event.user == event.user;
  });
  if (before == entries_.rend()) return false;
  keep(event, {results.origin, before->until});
  return true;
}

std::vector<ResultsReceived> Waiting::take(Origin origin, Seq announced) {
  std::vector<ResultsReceived> taken;
  std::deque<Entry> kept;
  for (auto& entry : entries_) {
    if (entry.event.results.origin != origin || entry.until > announced) {
      kept.push_back(std::move(entry));
      continue;
    }
    bytes_ -= bytes_of(entry);
    taken.push_back(std::move(entry.event));
  }
  entries_ = std::move(kept);
  return taken;
}

}  // namespace eole::sink
