#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"

namespace date {
class time_zone;
}

namespace eole {

/// A time zone of the system's own table (tzdata). A value: the table stays for the process' life.
class Zone {
 public:
  /// By its name, "Europe/Paris" or "UTC". Errors name what was likely meant.
  static Expected<Zone> find(std::string_view name);

  /// All in seconds since 1970: local time is UTC + offset from `begin` on, before `end`.
  struct Period {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t offset = 0;
  };
  Period at(std::int64_t unix_seconds) const;
  std::string name() const;

 private:
  explicit Zone(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;
};

}  // namespace eole
