#include "cli/bench_tasks.hpp"

#include <algorithm>
#include <cstdio>

#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

namespace eole::cli {

void BenchTasks::add(Origin origin, Seq first, std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  origin_ = origin;
  accepted_.add(first, first + count - 1);
}

void BenchTasks::leave() {
  const std::lock_guard lock(mutex_);
  accepted_ = {};
}

void BenchTasks::end_if_stopped() {
  if (is_stopped()) throw Failure{kNotDone, "bench: stopped; its tasks are cancelled"};
}

// What ended meanwhile is settled, and stays so.
BenchTasks::~BenchTasks() {
  constexpr std::uint64_t kMost = protocol::kTasksPerMessageMax;
  for (const auto& [first, last] : accepted_.ranges())
    for (auto at = first; at <= last; at += kMost) {
      SeqRanges piece;
      piece.add(at, std::min(last, at + kMost - 1));
      const auto asked = cluster_.ventilator.ask(protocol::Cancel{0, origin_, piece.encode()});
      if (asked) continue;
      std::fprintf(stderr, "eole: bench: its tasks from %s on are not cancelled: %s\n",
                   to_text(TaskId{origin_, at}).c_str(), shown(asked.error().message).c_str());
      return;
    }
}

}  // namespace eole::cli
