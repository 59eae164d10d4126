#include "tests/simulation/watchdog.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "common/base/text.hpp"

namespace eole::simulation {

namespace {

Duration time_on(clockid_t clock) {
  timespec spent{};
  ::clock_gettime(clock, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

}  // namespace

Watchdog::Watchdog(Duration most, Tell tell)
    : most_(most), tell_(std::move(tell)), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  is_woken_.notify_one();
  thread_.join();
}

void Watchdog::begin(std::uint64_t seed, std::uint64_t number, std::string again) {
  clockid_t clock{};
  ::pthread_getcpuclockid(::pthread_self(), &clock);
  const std::lock_guard lock(mutex_);
  running_[seed] = {clock, time_on(clock), number, std::move(again)};
}

void Watchdog::end(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  running_.erase(seed);
}

void Watchdog::look() {
  const std::lock_guard lock(mutex_);
  look_locked();
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!is_woken_.wait_for(lock, 500ms, [this] { return is_over_; })) look_locked();
}

void Watchdog::look_locked() const {
  for (const auto& [seed, running] : running_) {
    if (time_on(running.clock) - running.started < most_) continue;
    tell_(text("seed ", seed, " (number ", running.number, "): an event without end, after ",
               most_ / 1s, " s of processor time\n  again: ", running.again));
  }
}

void Watchdog::end_process(const std::string& why) {
  std::puts(why.c_str());
  std::fflush(stdout);
  std::_Exit(1);
}

}  // namespace eole::simulation
