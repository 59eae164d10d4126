#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include "sink/core/letters.hpp"
#include "sink/io/log_index.hpp"

namespace eole::sink {

/// What became durable in the log since the news before: by these the history keeps its own view of
/// it. Some 300 bytes for each 64 KiB of log, also if nobody takes them for long.
struct LogNews {
  std::uint64_t log = 0;
  std::uint64_t head = 0;              // A level, as the next two.
  storage::Position end;               // What lies below it is durable.
  std::uint32_t pages_kept_below = 0;  // The segments whose pages are in files.
  LogIndex index;                      // What is new.
  Letters letters;                     // The new ones …
  Letters discarded;                   // … and those that left the list after that.

  void add(LogNews&& newer) {
    log = newer.log;
    head = newer.head;
    end = newer.end;
    pages_kept_below = std::max(pages_kept_below, newer.pages_kept_below);
    index.append(std::move(newer.index));
    letters.add(newer.letters);
    discarded.add(newer.discarded);
  }
};

}  // namespace eole::sink
