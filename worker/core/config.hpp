#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "common/protocol/runner_offers.hpp"

namespace eole::worker {

/// Each field: what it is, its unit, why this default.
struct Config {
  std::string name;
  std::uint32_t pid = 0;
  std::uint32_t slots = 1;     // Tasks that run at the same time.
  std::uint32_t prefetch = 0;  // Unfinished tasks per slot; zero: adapts to their length.
  std::set<std::string, std::less<>> kinds;         // What this worker runs of itself,
  std::vector<protocol::RunnerOffer> runners;       // and what its runners do.
  std::set<std::string, std::less<>> inline_kinds;  // So short that the loop itself runs them.
  /// Of the kinds whose runners take several tasks at once, one after another: so many at most.
  std::map<std::string, std::uint32_t, std::less<>> ahead;
  std::string labels;                               // That tasks may need: "gpu=a100,zone=eu".
  std::string resources;                            // The same, that are counted: "cpus=4,mem=64G".
  std::string host;                                 // Where it runs, of which release, and how
  std::string version;                              // often it was started again: for people.
  std::uint32_t restarts = 0;
  Duration heartbeat = 1s;                          // Until a welcome says otherwise.
  Duration retry = 1s;                              // Hellos and results unanswered go again.
  Duration prefetched_time = 20ms;  // Adaptive: this much work per slot is held in advance.
  std::uint32_t prefetch_max = 8192;
  std::uint32_t results_max = 65536;          // Unacknowledged results; then credit stops.
  std::uint64_t result_bytes_max = 32 << 20;  // The same in bytes; then no task starts, too.
  std::uint64_t held_bytes_max = 32 << 20;    // Of tasks that have not ended.
  std::size_t origins_max = 1024;             // Journals whose tasks came: each is remembered.
  std::uint32_t results_per_message = 1024;
  std::uint64_t message_bytes = 256 << 10;  // A message closes when it is this large.
  Duration results_within = 5ms;            // While tasks wait for a slot, results travel together.
};

}  // namespace eole::worker
