#include "tests/simulation/watchdog.hpp"

#include <cstdio>
#include <cstdlib>

#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::simulation {

Watchdog::Watchdog() : thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  is_woken_.notify_one();
  thread_.join();
}

void Watchdog::begin(std::uint64_t seed, std::uint64_t number, std::string again) {
  const std::lock_guard lock(mutex_);
  running_[seed] = {process::now(), number, std::move(again)};
}

void Watchdog::end(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  running_.erase(seed);
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!is_woken_.wait_for(lock, 500ms, [this] { return is_over_; })) {
    for (const auto& [seed, running] : running_) {
      if (process::now() - running.started < kSeedTimeMax) continue;
      std::puts(text("seed ", seed, " (number ", running.number, "): an event without end, after ",
                     kSeedTimeMax / 1s, " s\n  again: ", running.again)
                    .c_str());
      std::fflush(stdout);
      std::_Exit(1);
    }
  }
}

}  // namespace eole::simulation
