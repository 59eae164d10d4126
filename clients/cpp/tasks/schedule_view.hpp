#pragma once
#include "common/protocol/value.hpp"

namespace eole::client {

/// A schedule as people and scripts see it, of what the ventilator says: name, next, last, fired,
/// paused, missed, and what of cron, zone, every_ms, last_error and tried_again there is. Times are
/// RFC 3339.
protocol::Value schedule_view(const protocol::Value& schedule);
/// Unix milliseconds as RFC 3339; null of null.
protocol::Value time_view(const protocol::Value& unix_ms);

}  // namespace eole::client
