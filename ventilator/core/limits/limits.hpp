#pragma once
#include <array>

#include "ventilator/core/limits/limit.hpp"
#include "ventilator/core/limits/pauses.hpp"
#include "ventilator/core/wishes.hpp"

namespace eole::ventilator {

/// The limits together: what a lane waits for.
class Limits {
 public:
  /// As operators wished before.
  explicit Limits(const Wishes& wishes);

  Pauses& pauses() { return pauses_; }
  const Pauses& pauses() const { return pauses_; }

  /// The least that any of them leaves.
  std::uint64_t room(const protocol::TaskClass& task_class, TimePoint now) const;
  void on_leased(const protocol::TaskClass& task_class, std::uint64_t count, TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  std::optional<Why> why(const protocol::TaskClass& task_class) const;

 private:
  // One line for each limit.
  std::array<const Limit*, 1> all() const { return {&pauses_}; }

  Pauses pauses_;
};

}  // namespace eole::ventilator
