#include "common/base/zone.hpp"

#include <date/tz.h>

#include <exception>
#include <vector>

#include "common/base/nearest.hpp"
#include "common/base/text.hpp"

namespace eole {

Expected<Zone> Zone::find(std::string_view name) {
  try {
    std::vector<std::string> known;
    for (const auto& zone : date::get_tzdb().zones) {
      if (zone.name() == name) return Zone(&zone);
      known.push_back(zone.name());
    }
    const auto near = nearest(name, known);
    return Error{text(name, ": no such time zone",
                      near.empty() ? " (Europe/Paris, America/New_York, UTC, …)"
                                   : text("; did you mean ", near, "?"))};
  } catch (const std::exception& error) {
    return Error{text(name, ": this system has no table of time zones: ", error.what())};
  }
}

Zone::Period Zone::at(std::int64_t unix_seconds) const {
  const auto info = zone_->get_info(date::sys_seconds(std::chrono::seconds(unix_seconds)));
  return {info.begin.time_since_epoch().count(), info.end.time_since_epoch().count(),
          info.offset.count()};
}

std::string Zone::name() const { return zone_->name(); }

}  // namespace eole
