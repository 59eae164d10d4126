#include "sink/core/waiting.hpp"

#include <algorithm>
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

std::size_t Waiting::bytes_of(const ResultsReceived& event) {
  constexpr std::size_t kNode = 48;
  constexpr std::size_t kEntry = sizeof(Entries::value_type) + kNode;
  constexpr std::size_t kOfKey = sizeof(std::uint64_t) + sizeof(Place) + kNode;
  constexpr std::size_t kUntil = sizeof(End) + sizeof(Seq) + kNode;
  const auto& results = event.results;
  return kEntry + kOfKey + kUntil + 2 * event.user.size() + results.worker.size() +
         results.payload.size();
}

Waiting::End Waiting::end_of(const ResultsReceived& event) {
  const auto& results = event.results;
  return {results.run, results.origin, results.first + results.count, event.user};
}

void Waiting::keep(const ResultsReceived& event, const TaskId& until) {
  if (names_artifacts(event.results)) return;
  if (!until_.try_emplace(end_of(event), until.seq).second) return;
  const Place place{until.origin, until.seq, ++came_};
  const auto bytes = bytes_of(event);
  auto& key = keys_[event.user];
  key.entries.emplace(came_, place);
  key.bytes += bytes;
  bytes_ += bytes;
  entries_.emplace(place, event);
  while (bytes_ > kWaitingBytesMax && !planted("results-wait-without-limit")) make_room();
}

// So nobody drives out who keeps less. There are few keys, and one mostly.
void Waiting::make_room() {
  const auto most = std::max_element(
      keys_.begin(), keys_.end(),
      [](const auto& one, const auto& other) { return one.second.bytes < other.second.bytes; });
  remove(entries_.find(most->second.entries.begin()->second));
}

ResultsReceived Waiting::remove(Entries::iterator entry) {
  auto event = std::move(entry->second);
  const auto bytes = bytes_of(event);
  const auto key = keys_.find(event.user);
  key->second.entries.erase(std::get<2>(entry->first));
  key->second.bytes -= bytes;
  if (key->second.entries.empty()) keys_.erase(key);
  bytes_ -= bytes;
  until_.erase(end_of(event));
  entries_.erase(entry);
  return event;
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
  const auto end = entries_.upper_bound({origin, announced, UINT64_MAX});
  for (auto entry = entries_.lower_bound({origin, 0, 0}); entry != end;)
    taken.push_back(remove(entry++));
  return taken;
}

}  // namespace eole::sink
