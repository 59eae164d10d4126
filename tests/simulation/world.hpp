#pragma once
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "common/base/time.hpp"

namespace eole::simulation {

/// A broken promise of the fabric: the simulator's finding.
struct Violation {
  std::string what;
};

/// Virtual time, one source of randomness, and the trace of what happened.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  TimePoint now() const { return now_; }
  void at(TimePoint when, std::function<void()> what);
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
  /// Runs what is due until `until`, or until nothing is left.
  void run(TimePoint until);

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool chance(double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }
  Duration between(Duration low, Duration high) {
    return low + Duration(static_cast<std::int64_t>(
                     below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  std::uint64_t draw() { return random_(); }

  /// The clock on the wall, which people and daemons set. Nothing may depend on it.
  std::int64_t wall_ms() const {
    return wall_offset_ms_ +
           std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
  }
  void jump_wall_clock() { wall_offset_ms_ = static_cast<std::int64_t>(below(kWallMsMax)); }
  /// To where no jump has led.
  void set_last_wall_clock() { wall_offset_ms_ = static_cast<std::int64_t>(kWallMsMax); }

  /// Adds a line to the trace: to its hash always, to its text if it is kept.
  void trace(const std::string& line);
  void keep_trace() { keeps_trace_ = true; }
  const std::vector<std::string>& lines() const { return lines_; }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t steps() const { return steps_; }

 private:
  static constexpr std::uint64_t kWallMsMax = 20ULL * 365 * 86400 * 1000;
  struct Due {
    TimePoint when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Due& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  std::mt19937_64 random_;
  TimePoint now_ = TimePoint(1s);
  std::int64_t wall_offset_ms_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_at_once_ = 0;
  std::priority_queue<Due> due_;
  std::uint64_t hash_ = 14695981039346656037ULL;  // FNV-1a
  bool keeps_trace_ = false;
  std::vector<std::string> lines_;
};

}  // namespace eole::simulation
