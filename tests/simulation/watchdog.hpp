#pragma once
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/time.hpp"

namespace eole::simulation {

/// Real time: some thousand times what a seed takes.
constexpr Duration kSeedTimeMax = 60s;

/// Sees that every seed ends. The world bounds events, but not what one event does: a loop there
/// goes on for ever in one step. Then the seed is named, and the process ends with 1.
class Watchdog {
 public:
  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  /// `again`: how to run it alone. From any thread.
  void begin(std::uint64_t seed, std::uint64_t number, std::string again);
  void end(std::uint64_t seed);

 private:
  struct Running {
    TimePoint started{};
    std::uint64_t number = 0;  // Of the search.
    std::string again;
  };
  void watch();

  std::mutex mutex_;
  std::condition_variable is_woken_;
  std::map<std::uint64_t, Running> running_;  // By their seeds.
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace eole::simulation
