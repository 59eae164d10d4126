#pragma once
#include <cstdint>
#include <optional>

#include "common/base/time.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/why.hpp"

namespace eole::ventilator {

constexpr std::uint64_t kNoLimit = UINT64_MAX;

/// A reason not to serve a class now, or not so much of it. It is asked once for each lane and turn
/// in which it would be served; a lane without room is put aside until the next turn.
class Limit {
 public:
  Limit() = default;
  Limit(const Limit&) = default;
  Limit(Limit&&) = default;
  Limit& operator=(const Limit&) = default;
  Limit& operator=(Limit&&) = default;
  virtual ~Limit() = default;

  /// How many more tasks of this class may be leased now.
  virtual std::uint64_t room(const protocol::TaskClass& task_class, TimePoint now) const = 0;
  virtual void on_leased(const protocol::TaskClass& task_class, std::uint64_t count,
                         TimePoint now) = 0;
  /// When it may have room again without anything being said or released.
  virtual std::optional<TimePoint> next_deadline() const = 0;
  /// Why a task of this class is not leased, if this is why.
  virtual std::optional<Why> why(const protocol::TaskClass& task_class) const = 0;
};

}  // namespace eole::ventilator
