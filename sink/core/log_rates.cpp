#include "sink/core/log_rates.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/planted.hpp"

namespace eole::sink {

void LogRates::refill(Peer& peer, TimePoint now) {
  const std::chrono::duration<double> passed = now - std::exchange(peer.since, now);
  peer.room =
      std::min<double>(kLogBytesAtOnceMax, peer.room + passed.count() * kLogBytesPerSecondMax);
}

// Who could say as much as a new one needs not be remembered.
void LogRates::forget_quiet(TimePoint now) {
  for (auto& [name, peer] : peers_) refill(peer, now);
  std::erase_if(peers_, [](const auto& known) { return known.second.room >= kLogBytesAtOnceMax; });
}

std::optional<std::uint64_t> LogRates::take(const std::string& peer, std::size_t bytes,
                                            std::uint64_t lines, TimePoint now) {
  auto known = peers_.find(peer);
  if (known == peers_.end()) {
    if (peers_.size() >= kLogPeersMax) forget_quiet(now);
    if (peers_.size() >= kLogPeersMax) return std::nullopt;
    known = peers_.emplace(peer, Peer{kLogBytesAtOnceMax, now, 0}).first;
  }
  auto& its = known->second;
  refill(its, now);
  const auto cost = static_cast<double>(std::max(bytes, kLogMessageBytesMin));
  if (its.room < cost && !planted("log-lines-without-a-rate")) {
    its.left_out += lines;
    return std::nullopt;
  }
  its.room -= cost;
  return std::exchange(its.left_out, 0);
}

}  // namespace eole::sink
