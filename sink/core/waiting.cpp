#include "sink/core/waiting.hpp"

#include <utility>

#include "common/base/planted.hpp"
#include "common/protocol/records.hpp"

namespace eole::sink {

namespace {

bool names_artifacts(const protocol::Results& results) {
  ByteReader reader(results.payload);
  while (const auto run = protocol::read_result_run(reader))
    if (!run->first.artifacts.empty() && !planted("artifacts-judged-too-soon")) return true;
  return false;
}

}  // namespace

std::size_t Waiting::bytes_of(const Entry& entry) {
  const auto& event = entry.event;
  constexpr std::size_t kNode = sizeof(End) + sizeof(Seq) + 48;
  return sizeof(Entry) + kNode + event.results.payload.size();
}

Waiting::End Waiting::end_of(const ResultsReceived& event) {
  const auto& results = event.results;
  return {results.run, results.origin, results.first + results.count, event.user};
}

void Waiting::keep(const ResultsReceived& event, const TaskId& until) {
  if (names_artifacts(event.results)) return;
  if (!until_.try_emplace(end_of(event), until.seq).second) return;
  entries_.push_back({event, until.seq});
  bytes_ += bytes_of(entries_.back());
  while (bytes_ > kWaitingBytesMax && !planted("results-wait-without-limit")) {
    bytes_ -= bytes_of(entries_.front());
    until_.erase(end_of(entries_.front().event));
    entries_.pop_front();
  }
}

bool Waiting::keep_behind(const ResultsReceived& event) {
  const auto& results = event.results;
  const auto before = until_.find({results.run, results.origin, results.first, event.user});
  if (before == until_.end()) return false;
  keep(event, {results.origin, before->second});
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
    until_.erase(end_of(entry.event));
    taken.push_back(std::move(entry.event));
  }
  entries_ = std::move(kept);
  return taken;
}

}  // namespace eole::sink
