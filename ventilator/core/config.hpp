#pragma once
#include <cstdint>

#include "common/base/time.hpp"

namespace eole::ventilator {

/// Each field: what it is, its unit, why this default.
struct Config {
  Duration heartbeat = 1s;                // A third of suspect_after: two lost beats are forgiven.
  Duration suspect_after = 3s;            // Three silent beats: no new work.
  Duration lost_after = 3500ms;           // Its tasks go to others: a hung worker costs under 4 s.
  Duration grace = 250ms;                 // As lost_after, once the pipe's connection has ended.
  Duration grace_start = 2s;              // After a restart, workers have this long to say hello.
  Duration retry = 1s;                    // Introductions, reads and verdicts unanswered go again.
  Duration request_retention = 24h;       // A client must not repeat a request or a key later.
  std::uint64_t answer_bytes_max = 1 << 30;  // Remembered for repeats; above it keys are refused.
  std::uint8_t attempts_max = 5;          // Then the task is a dead letter.
  std::uint64_t queued_max = 1ULL << 30;  // Submits over it are refused.
  std::uint32_t workers_max = 4096;       // Each costs some descriptors: kFilesPerWorker.
  std::uint32_t dispatch_max = 1024;      // Tasks in one message: gains end there, sharing suffers.
};

}  // namespace eole::ventilator
