#pragma once
#include <optional>
#include <string>

#include "common/base/time.hpp"

namespace eole::role {

/// Tells the service manager that started this process, if it wants to know (systemd's
/// Type=notify), that the process is ready, and from then on that it lives. The loop's thread.
class Watchdog {
 public:
  Watchdog();
  /// Says what is due; when to call it again, if ever. The first call says that it is ready.
  std::optional<TimePoint> tell(TimePoint now);

 private:
  std::string socket_;  // Empty: there is nothing more to tell.
  std::optional<Duration> every_;
  bool is_ready_ = false;
  TimePoint next_{};
};

}  // namespace eole::role
