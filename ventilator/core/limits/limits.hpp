#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/limits/caps.hpp"
#include "ventilator/core/limits/limit.hpp"
#include "ventilator/core/limits/pauses.hpp"
#include "ventilator/core/limits/quotas.hpp"
#include "ventilator/core/limits/rates.hpp"
#include "ventilator/core/task_class.hpp"
#include "ventilator/core/wishes.hpp"

namespace eole::ventilator {

/// At most so many tasks at a time, and so many a second; of a tenant so many queued, and bytes of
/// them, and so many accepted a second. Zero: no such limit.
struct LimitWish {
  std::uint64_t running = 0;
  double rate = 0;
  std::uint64_t queued = 0;
  std::uint64_t bytes = 0;
};
/// Of {"running": 8, "rate": 20}; any may be missing. Errors name what is wrong, also for whom.
Expected<LimitWish> parse_limit(const Scope& scope, const protocol::Value& written);
/// Those that operators wished before.
using OnLimit = std::function<void(const Scope&, const LimitWish&)>;
void each_limit(const Wishes& wishes, const OnLimit& on_limit);

/// The limits together: what a lane waits for, and what holds a tenant's submits. What tasks of one
/// key wait for is not theirs, but their gate's.
class Limits {
 public:
  /// As operators wished before.
  Limits(const Wishes& wishes, TimePoint now);

  Pauses& pauses() { return pauses_; }
  const Pauses& pauses() const { return pauses_; }
  Quotas& quotas() { return quotas_; }
  const Quotas& quotas() const { return quotas_; }
  /// In place of what was set for the same.
  void set(const Scope& scope, const LimitWish& wish, TimePoint now);

  /// Once a turn, before any is asked: how many tasks of each class are leased.
  void begin_turn(const TaskClasses& classes, const std::vector<std::uint64_t>& leased,
                  TimePoint now);

  /// The least that any of them leaves.
  std::uint64_t room(const protocol::TaskClass& task_class, TimePoint now) const;
  void on_leased(const protocol::TaskClass& task_class, std::uint64_t count, TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  std::optional<Why> why(const protocol::TaskClass& task_class) const;

 private:
  // One line for each limit.
  std::array<const Limit*, 3> all() const { return {&pauses_, &caps_, &rates_}; }

  Pauses pauses_;
  Caps caps_;
  Rates rates_;
  Quotas quotas_;  // Hold submits, not lanes.
};

}  // namespace eole::ventilator
