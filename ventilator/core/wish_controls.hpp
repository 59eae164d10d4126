#pragma once
#include <string>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/fleet.hpp"
#include "ventilator/core/gates/gates.hpp"
#include "ventilator/core/limits/limits.hpp"
#include "ventilator/core/wishes.hpp"

namespace eole::ventilator {

/// Controls that say how something shall be from now on, and are kept as wishes until they are
/// taken back. Made for one control, of parts that outlive it.
class WishControls {
 public:
  using Value = protocol::Value;
  WishControls(Wishes& wishes, Limits& limits, Gates& gates, Fleet& fleet)
      : wishes_(wishes), limits_(limits), gates_(gates), fleet_(fleet) {}

  /// {"scope": "kind:download", "running": 8, "rate": 20}; without any the limit is gone.
  Expected<Value> limit(const Value& options, TimePoint now, Actions& out);
  /// {"scope": "project:photos"}
  Expected<Value> pause(const Value& options, bool is_paused, Actions& out);
  /// {"name", "state": added or removed, …}: kept as it was said, for whoever acts on it.
  Expected<Value> declare(const std::string& what, const Value& options, Actions& out);

 private:
  void keep(const std::string& what, const std::string& about, Bytes value, Actions& out);

  Wishes& wishes_;
  Limits& limits_;
  Gates& gates_;
  Fleet& fleet_;
};

}  // namespace eole::ventilator
