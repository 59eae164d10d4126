#pragma once
#include <string>

#include "common/base/time.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/placement.hpp"
#include "ventilator/core/reservation.hpp"

namespace eole::ventilator {

class Fleet;

/// Keeps what a worker has of its resources for whose turn it is and who has found no room for long: what
/// needs less of them would go before it for ever. Until then it may: nothing lies idle.
class KeptRoom {
 public:
  static constexpr Duration kPatience = 10s;
  /// Now and then. `first`: what is asked of a worker by whose turn it is; null: nobody's.
  void look(const protocol::TaskClass* first, const Fleet& fleet, Placement& placement,
            TimePoint now);

 private:
  std::string needs_;  // Of who found no room when it was looked last; empty: nobody.
  std::string place_;
  TimePoint since_{};
  Reservation reservation_;
};

}  // namespace eole::ventilator
