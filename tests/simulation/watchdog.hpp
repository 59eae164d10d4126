#pragma once
#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/time.hpp"

namespace eole::simulation {

/// Processor time of the thread that runs it, some thousand times what a seed takes.
constexpr Duration kSeedTimeMax = 60s;

/// Sees that every seed ends. The world bounds events, but not what one event does: a loop there
/// goes on for ever in one step. Then the seed is named, and the process ends with 1. Who only
/// waits for a processor is no such seed.
class Watchdog {
 public:
  using Tell = std::function<void(const std::string&)>;
  explicit Watchdog(Duration most = kSeedTimeMax, Tell tell = end_process);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  /// `again`: how to run it alone. From the thread that runs it, which is there until the end.
  void begin(std::uint64_t seed, std::uint64_t number, std::string again);
  void end(std::uint64_t seed);
  /// As its own thread does twice a second.
  void look();

 private:
  struct Running {
    clockid_t clock{};  // Of its thread.
    Duration started{};
    std::uint64_t number = 0;  // Of the search.
    std::string again;
  };
  static void end_process(const std::string& why);
  void watch();
  void look_locked() const;

  Duration most_;
  Tell tell_;
  std::mutex mutex_;
  std::condition_variable is_woken_;
  std::map<std::uint64_t, Running> running_;  // By their seeds.
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace eole::simulation
