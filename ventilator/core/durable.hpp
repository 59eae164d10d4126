#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/base/ids.hpp"
#include "common/base/seq_queue.hpp"
#include "common/base/seq_ranges.hpp"

namespace eole::ventilator {

/// The last note of an unsettled task: who had it, under which lease, in which attempt.
struct Note {
  RunId run = 0;
  Lease lease;
  std::uint16_t attempt = 0;
  bool operator==(const Note&) const = default;
};

/// The answer that a repeated submit gets.
struct Answered {
  std::string hash;  // Only for keys.
  Seq first = 0;
  std::uint32_t count = 0;
  bool operator==(const Answered&) const = default;
};

/// What one client asked. It has the answers to all requests up to `confirmed`: a late copy of
/// one of those must not be taken for news.
struct Requests {
  std::uint64_t confirmed = 0;
  SeqQueue<Answered> answered;
  void add(std::uint64_t request, std::uint64_t confirmed_now, Answered answer) {
    confirmed = std::max(confirmed, confirmed_now);
    while (!answered.empty() && answered.front().first <= confirmed) answered.pop_front();
    answered.put(request, std::move(answer));
  }
  /// Null if it is new.
  const Answered* find(std::uint64_t request) const {
    if (answered.empty() || answered.back().first < request) return nullptr;
    return answered.find(request);
  }
  bool operator==(const Requests&) const = default;
};

/// What the journal knows: enough to start from, and what a checkpoint in it repeats.
struct Durable {
  Origin origin = 0;
  std::uint32_t start = 0;  // This start's number.
  Seq last = 0;             // The highest sequence number ever given out.
  SeqRanges settled;
  std::map<Seq, Note> notes;
  std::set<Seq> cancelled;
  SeqRanges lost;  // Damage took their tasks: they end as dead letters unless they are settled.
  std::map<Seq, std::pair<std::uint32_t, std::uint8_t>> limits;  // first -> count, attempts_max
  std::map<RunId, Requests> requests;
  std::map<std::string, Answered> keys;
  bool is_power_cut = false;  // The machine restarted: notes may be missing.
};

}  // namespace eole::ventilator
