#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/limits/rate.hpp"
#include "ventilator/core/task_class.hpp"

namespace eole::ventilator {

/// Of the projects with a prefix, whoever submits: so many tasks that are not settled, so many
/// bytes of them, and so many accepted a second; zero: no such limit.
struct Quota {
  std::uint64_t queued = 0;
  std::uint64_t bytes = 0;
  double rate = 0;
  bool operator==(const Quota&) const = default;
};

/// What tenants may have accepted. A submit that would go beyond is refused as a whole, and may be
/// said again later. What of a rate is not used adds up for a second; a submit that finds anything
/// left is accepted, and what is more is paid off before the next. Nothing is looked at as long as
/// there is no quota.
class Quotas {
 public:
  /// In place of what was set before.
  void set(const std::string& prefix, const Quota& quota, TimePoint now);
  bool is_empty() const { return held_.empty(); }
  /// Why these groups, which make sense, are too much now; nothing if they are not.
  std::optional<Error> why_refused(std::string_view groups, const TaskClasses& classes,
                                   TimePoint now) const;
  void on_accepted(std::string_view groups, TimePoint now);

 private:
  struct Held {
    Quota quota;
    Rate rate{.burst = 1s};
  };
  std::map<std::string, Held> held_;  // By prefix.
};

}  // namespace eole::ventilator
